/// Sizes in bytes, written with their binary unit: `64_MiB`.
#pragma once

#include <cstddef>
#include <limits>

namespace resident {

namespace detail {
/// A size that does not fit in size_t is not a constant expression, hence refused by the compiler.
consteval std::size_t scaled_size(unsigned long long count, std::size_t unit) {
    return count <= std::numeric_limits<std::size_t>::max() / unit
               ? static_cast<std::size_t>(count) * unit
               : throw "this size does not fit in std::size_t";
}
} // namespace detail

inline namespace literals {
inline namespace size_literals {

/// `n` times 1024 bytes. Evaluated by the compiler; ill-formed if it does not fit in size_t.
consteval std::size_t operator""_KiB(unsigned long long count) {
    return detail::scaled_size(count, std::size_t{1} << 10);
}
/// `n` times 1024 KiB.
consteval std::size_t operator""_MiB(unsigned long long count) {
    return detail::scaled_size(count, std::size_t{1} << 20);
}
/// `n` times 1024 MiB.
consteval std::size_t operator""_GiB(unsigned long long count) {
    return detail::scaled_size(count, std::size_t{1} << 30);
}

} // namespace size_literals
} // namespace literals

} // namespace resident
