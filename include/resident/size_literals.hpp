/// Sizes in bytes, written with their binary unit: `64_MiB`.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <limits>

namespace resident {

namespace detail {
/// Not constexpr: a constant that gets here is refused by the compiler, with this name to read.
[[noreturn]] inline void size_does_not_fit_in_size_t() noexcept { std::abort(); }

constexpr std::size_t scaled_size(unsigned long long count, std::size_t unit) noexcept {
    if (count > std::numeric_limits<std::size_t>::max() / unit)
        size_does_not_fit_in_size_t();
    return static_cast<std::size_t>(count) * unit;
}
} // namespace detail

inline namespace literals {
inline namespace size_literals {

/// `n` times 1024 bytes. As a constant: ill-formed if it does not fit in size_t; else: aborts then.
constexpr std::size_t operator""_KiB(unsigned long long count) noexcept {
    return detail::scaled_size(count, std::size_t{1} << 10);
}
/// `n` times 1024 KiB.
constexpr std::size_t operator""_MiB(unsigned long long count) noexcept {
    return detail::scaled_size(count, std::size_t{1} << 20);
}
/// `n` times 1024 MiB.
constexpr std::size_t operator""_GiB(unsigned long long count) noexcept {
    return detail::scaled_size(count, std::size_t{1} << 30);
}

} // namespace size_literals
} // namespace literals

} // namespace resident
