/// Which file a process's trace goes to.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace resident::recorder {

/// Set by `resident record`, and passed on from program to program: the path of FILE, absolute.
inline constexpr const char* file_variable = "RESIDENT_RECORD_FILE";

/// FILE is for the first process of the command; FILE.<process> for others, and FILE.<process>.2
/// and so on for the programs that it goes on as.
class trace_names {
public:
    /// Returns: whether the environment names a file.
    bool read_environment() noexcept;

    [[nodiscard]] const char* first() const noexcept { return first_.data(); }
    /// Valid until called again.
    const char* of(std::uint64_t process, unsigned image) noexcept;
    /// Says on standard error why the file named last cannot be made.
    void complain(int error_number) noexcept;

private:
    std::array<char, 4096> first_{};
    std::array<char, 4096 + 48> own_{};
    std::size_t first_length_ = 0;
};

} // namespace resident::recorder
