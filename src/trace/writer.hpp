/// Writes a trace, for programs that make one up; resident_record writes those of real programs.
#pragma once

#include "trace/event.hpp"
#include "trace/format.hpp"
#include "trace/record_encoder.hpp"
#include "trace/trace_file.hpp"

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace resident::trace {

/// Memory: one block a thread that has not ended. One thread at a time may use a writer.
class writer {
public:
    struct description {
        std::uint64_t process = 1;
        std::uint64_t started = 0;
        std::string command; ///< arguments, with a blank between; cut if it is too long
    };

    /// Creates the file, or empties it. Fails, with why in `reason`, if and only if it cannot.
    static std::optional<writer> create(const std::string& path, const description& told,
                                        std::string& reason);

    /// Appends an event behind all others. `thread` may be any number below thread_limit; each is a
    /// thread of its own, which begins with its first event. `sequence` is ignored.
    /// Returns: whether it was taken; false if and only if the file cannot be written, or an
    /// address, size or alignment is above the limits of the format.
    bool append(const event& what);

    /// Writes what is left, and seals the file. Returns: why it failed, or nothing. Nothing may be
    /// appended afterwards.
    std::optional<trace_error> finish(process_end end = process_end::exited,
                                      std::uint32_t end_value = 0);

private:
    struct open_block;
    using blocks = std::unordered_map<std::uint32_t, std::unique_ptr<open_block>>;

    writer(trace_file file, std::string path);
    bool put(std::uint32_t thread, const record& what);
    bool write_out(open_block& block);

    std::unique_ptr<trace_file> file_;
    std::string path_;
    std::uint64_t next_number_ = 0;
    blocks blocks_;
    bool failed_ = false;

public:
    writer(writer&&) noexcept;
    writer& operator=(writer&&) noexcept;
    ~writer();
};

} // namespace resident::trace
