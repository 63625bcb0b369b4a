/// Addresses as numbers, and the unit that an arena counts them in.
#pragma once

#include "resident/arena.hpp"

#include <cstddef>
#include <cstdint>

namespace resident::detail {

/// Bytes.
inline constexpr std::size_t granule_size = arena::granule_size;

inline std::uintptr_t address_of(const void* pointer) noexcept {
    return reinterpret_cast<std::uintptr_t>(pointer);
}

} // namespace resident::detail
