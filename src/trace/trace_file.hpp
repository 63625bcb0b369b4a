/// A file that is read and written at offsets.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

namespace resident::trace {

class trace_file {
public:
    enum class access { read, read_and_write, create };

    /// Fails, with why in `reason`, if and only if the file cannot be opened or has no size.
    static std::optional<trace_file> open(const std::string& path, access wanted,
                                          std::string& reason);

    /// When it was opened; of one that was created, what has been written.
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

    /// Returns: how many bytes are there to read, at most `wanted`.
    std::size_t read(std::uint64_t offset, void* to, std::size_t wanted) noexcept;
    /// Returns: whether all of it was written; otherwise errno says why not.
    bool write(std::uint64_t offset, const void* from, std::size_t bytes) noexcept;

private:
    struct closer {
        void operator()(std::FILE* file) const noexcept { std::fclose(file); }
    };
    trace_file(std::FILE* file, std::uint64_t bytes) noexcept : file_(file), bytes_(bytes) {}

    std::unique_ptr<std::FILE, closer> file_;
    std::uint64_t bytes_;
};

} // namespace resident::trace
