#include "os/system_file.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace resident::os {

line_reader::line_reader(const char* path) noexcept {
    const outcome opened = system().open_file(path);
    status_ = opened;
    if (opened)
        descriptor_ = static_cast<int>(opened.value());
}

line_reader::~line_reader() {
    if (descriptor_ >= 0)
        static_cast<void>(system().close_file(descriptor_));
}

/// Returns: whether there is more in the buffer than before.
bool line_reader::refill() noexcept {
    if (descriptor_ < 0 || at_end_ || !status_)
        return false;
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    const outcome read = system().read_file(descriptor_, std::span(buffer_).subspan(end_));
    if (!read) {
        status_ = read;
        return false;
    }
    at_end_ = read.value() == 0;
    end_ += read.value();
    return !at_end_;
}

bool line_reader::skip_rest_of_line() noexcept {
    do {
        const std::string_view waiting(buffer_.data() + begin_, end_ - begin_);
        const std::size_t newline = waiting.find('\n');
        if (newline != std::string_view::npos) {
            begin_ += newline + 1;
            return true;
        }
        begin_ = end_;
    } while (refill());
    return false;
}

bool line_reader::next(std::string_view& line) noexcept {
    if (inside_long_line_ && !skip_rest_of_line())
        return false;
    inside_long_line_ = false;
    std::size_t searched = 0;
    while (true) {
        const std::string_view waiting(buffer_.data() + begin_, end_ - begin_);
        const std::size_t newline = waiting.find('\n', searched);
        if (newline != std::string_view::npos) {
            line = waiting.substr(0, newline);
            begin_ += newline + 1;
            return true;
        }
        searched = waiting.size();
        inside_long_line_ = searched == buffer_.size();
        if (!inside_long_line_ && refill())
            continue;
        if (!status_ || searched == 0)
            return false;
        // Cut short by the buffer, or the last line of a file that does not end in a newline.
        line = {buffer_.data() + begin_, searched};
        begin_ = end_;
        return true;
    }
}

namespace {

void skip_blanks(std::string_view& text) noexcept {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

std::optional<std::uint64_t> take_digits(std::string_view& text, int base) noexcept {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (error != std::errc{})
        return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

} // namespace

std::optional<std::uint64_t> take_number(std::string_view& text) noexcept {
    skip_blanks(text);
    return take_digits(text, 10);
}

std::optional<std::uint64_t> take_hexadecimal(std::string_view& text) noexcept {
    return take_digits(text, 16);
}

std::string_view take_word(std::string_view& text) noexcept {
    skip_blanks(text);
    const std::string_view word = text.substr(0, text.find_first_of(" \t"));
    text.remove_prefix(word.size());
    return word;
}

std::optional<std::uint64_t> read_number(const char* path) noexcept {
    line_reader file(path);
    std::string_view line;
    return file.next(line) ? take_number(line) : std::nullopt;
}

std::optional<std::uint64_t> field_value(std::string_view line, std::string_view key) noexcept {
    if (!line.starts_with(key))
        return std::nullopt;
    line.remove_prefix(key.size());
    if (line.starts_with(':'))
        line.remove_prefix(1);
    if (!line.starts_with(' ') && !line.starts_with('\t'))
        return std::nullopt;
    std::optional<std::uint64_t> number = take_number(line);
    if (number && take_word(line) == "kB") {
        constexpr std::uint64_t most = std::uint64_t{1} << 54U; // in kB; more would not fit
        number = std::min(*number, most - 1) * 1024;
    }
    return number;
}

std::optional<std::uint64_t> read_field(const char* path, std::string_view key) noexcept {
    line_reader file(path);
    std::string_view line;
    while (file.next(line)) {
        if (const auto number = field_value(line, key))
            return number;
    }
    return std::nullopt;
}

bool file_exists(const char* path) noexcept {
    const outcome opened = system().open_file(path);
    if (opened)
        static_cast<void>(system().close_file(static_cast<int>(opened.value())));
    return static_cast<bool>(opened);
}

} // namespace resident::os
