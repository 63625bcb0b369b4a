/// Composing text without allocating: a bounded builder over a caller's buffer.
#pragma once

#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace resident::os {

/// Appends to a buffer, always 0-terminated; what does not fit is cut off. No allocation.
class text_builder {
public:
    /// Requires: a buffer of at least one character. Starts empty.
    explicit text_builder(std::span<char> buffer) noexcept;

    text_builder& operator<<(std::string_view text) noexcept;
    text_builder& operator<<(std::uint64_t number) noexcept;

    [[gnu::format(printf, 2, 3)]] text_builder& print(const char* format, ...) noexcept;
    [[gnu::format(printf, 2, 0)]] text_builder& print_list(const char* format,
                                                           std::va_list arguments) noexcept;

    /// "8 MiB (8388608 bytes)", "8.2 MiB (8600000 bytes)", "512 bytes", "unlimited".
    text_builder& size(std::size_t bytes) noexcept;
    /// The same without the exact figure: "8 MiB", "8.2 MiB", "512 bytes", "unlimited".
    text_builder& short_size(std::size_t bytes) noexcept;

    [[nodiscard]] std::string_view view() const noexcept { return {buffer_.data(), length_}; }

private:
    std::span<char> buffer_;
    std::size_t length_ = 0;
};

/// "ENOMEM", or null for a number without a name here. Static storage.
[[nodiscard]] const char* error_name(int error_number) noexcept;
/// "Cannot allocate memory", or null. Static storage.
[[nodiscard]] const char* error_description(int error_number) noexcept;

} // namespace resident::os
