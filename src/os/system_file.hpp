/// Reading the text files of /proc and /sys: line by line, in fixed buffers.
#pragma once

#include "os/kernel.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace resident::os {

/// The lines of a file, through system(). A line longer than the buffer is cut; its rest is
/// skipped.
class line_reader {
public:
    explicit line_reader(const char* path) noexcept;
    ~line_reader();
    line_reader(const line_reader&) = delete;
    line_reader& operator=(const line_reader&) = delete;

    /// Reads the next line, without its newline; it is valid until the next call.
    /// Returns: false at the end and after an error; status() tells which.
    bool next(std::string_view& line) noexcept;

    /// Whether opening and reading have succeeded so far.
    [[nodiscard]] const outcome& status() const noexcept { return status_; }

private:
    bool refill() noexcept;
    bool skip_rest_of_line() noexcept;

    int descriptor_ = -1;
    outcome status_ = outcome::success();
    std::size_t begin_ = 0; // of what is read and not yet returned
    std::size_t end_ = 0;
    bool at_end_ = false;
    bool inside_long_line_ = false;
    std::array<char, 4096> buffer_;
};

/// Takes the leading decimal digits off `text`, after blanks. Nothing if there are none, or if the
/// number does not fit.
std::optional<std::uint64_t> take_number(std::string_view& text) noexcept;
/// The same in hexadecimal; no blanks before it.
std::optional<std::uint64_t> take_hexadecimal(std::string_view& text) noexcept;
/// Takes the next word, up to a blank.
std::string_view take_word(std::string_view& text) noexcept;

/// The number that the file starts with; nothing if it cannot be read or starts with none.
[[nodiscard]] std::optional<std::uint64_t> read_number(const char* path) noexcept;

/// The number of a line "key: number kB" (then in bytes) or "key number"; nothing if the line is of
/// another key.
[[nodiscard]] std::optional<std::uint64_t> field_value(std::string_view line,
                                                       std::string_view key) noexcept;

/// The number of the first such line of a file; nothing if there is none.
[[nodiscard]] std::optional<std::uint64_t> read_field(const char* path,
                                                      std::string_view key) noexcept;

/// Whether the file can be opened.
[[nodiscard]] bool file_exists(const char* path) noexcept;

} // namespace resident::os
