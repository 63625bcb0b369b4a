#include "os/text.hpp"

#include "resident/error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>

namespace resident::os {

text_builder::text_builder(std::span<char> buffer) noexcept : buffer_(buffer) {
    buffer_.front() = '\0';
}

text_builder& text_builder::operator<<(std::string_view text) noexcept {
    const std::size_t room = buffer_.size() - 1 - length_;
    const std::size_t count = std::min(room, text.size());
    std::copy_n(text.data(), count, buffer_.data() + length_);
    length_ += count;
    buffer_[length_] = '\0';
    return *this;
}

text_builder& text_builder::operator<<(std::uint64_t number) noexcept {
    return print("%" PRIu64, number);
}

text_builder& text_builder::print(const char* format, ...) noexcept {
    std::va_list arguments;
    va_start(arguments, format);
    print_list(format, arguments);
    va_end(arguments);
    return *this;
}

text_builder& text_builder::print_list(const char* format, std::va_list arguments) noexcept {
    const std::span<char> room = buffer_.subspan(length_);
    const int wanted = std::vsnprintf(room.data(), room.size(), format, arguments);
    if (wanted > 0)
        length_ += std::min(room.size() - 1, static_cast<std::size_t>(wanted));
    return *this;
}

text_builder& text_builder::short_size(std::size_t bytes) noexcept {
    if (bytes == unlimited)
        return *this << "unlimited";
    constexpr std::array<const char*, 4> units = {"KiB", "MiB", "GiB", "TiB"};
    if (bytes < 1024)
        return print("%zu bytes", bytes);
    std::size_t unit = 0;
    std::size_t scale = 1024;
    while (unit + 1 < units.size() && bytes / scale >= 1024) {
        scale *= 1024;
        ++unit;
    }
    const std::size_t tenths = bytes % scale / (scale / 10 + 1);
    print("%zu", bytes / scale);
    if (tenths != 0)
        print(".%zu", tenths);
    return *this << " " << units[unit];
}

text_builder& text_builder::size(std::size_t bytes) noexcept {
    short_size(bytes);
    return bytes == unlimited || bytes < 1024 ? *this : print(" (%zu bytes)", bytes);
}

namespace {

struct known_error {
    int number;
    const char* name;
    const char* description;
};

// Of one's own: strerror may allocate and depends on the locale.
constexpr known_error known_errors[] = {
    {EPERM, "EPERM", "Operation not permitted"},
    {ENOENT, "ENOENT", "No such file or directory"},
    {ESRCH, "ESRCH", "No such process"},
    {EINTR, "EINTR", "Interrupted system call"},
    {EIO, "EIO", "Input/output error"},
    {EBADF, "EBADF", "Bad file descriptor"},
    {EAGAIN, "EAGAIN", "Resource temporarily unavailable"},
    {ENOMEM, "ENOMEM", "Cannot allocate memory"},
    {EACCES, "EACCES", "Permission denied"},
    {EFAULT, "EFAULT", "Bad address"},
    {EBUSY, "EBUSY", "Device or resource busy"},
    {EEXIST, "EEXIST", "File exists"},
    {ENODEV, "ENODEV", "No such device"},
    {EINVAL, "EINVAL", "Invalid argument"},
    {ENFILE, "ENFILE", "Too many open files in system"},
    {EMFILE, "EMFILE", "Too many open files"},
    {ENOTTY, "ENOTTY", "Inappropriate ioctl for device"},
    {ENOSPC, "ENOSPC", "No space left on device"},
    {EDEADLK, "EDEADLK", "Resource deadlock avoided"},
    {ENOSYS, "ENOSYS", "Function not implemented"},
    {EOVERFLOW, "EOVERFLOW", "Value too large for defined data type"},
    {EOPNOTSUPP, "EOPNOTSUPP", "Operation not supported"},
    {EHWPOISON, "EHWPOISON", "Memory page has hardware error"},
};

const known_error* find_error(int error_number) noexcept {
    const auto* const found =
        std::find_if(std::begin(known_errors), std::end(known_errors),
                     [=](const known_error& known) { return known.number == error_number; });
    return found == std::end(known_errors) ? nullptr : found;
}

} // namespace

const char* error_name(int error_number) noexcept {
    const known_error* const known = find_error(error_number);
    return known != nullptr ? known->name : nullptr;
}

const char* error_description(int error_number) noexcept {
    const known_error* const known = find_error(error_number);
    return known != nullptr ? known->description : nullptr;
}

} // namespace resident::os
