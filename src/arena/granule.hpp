/// Addresses as numbers, and the unit that an arena counts them in.
#pragma once

#include "resident/arena.hpp"

#include <cstddef>
#include <cstdint>

namespace resident::detail {

/// Bytes.
inline constexpr std::size_t granule_size = arena::granule_size;

/// How many a request takes; 0 bytes count as 1.
constexpr std::size_t granules_for(std::size_t bytes) noexcept {
    return (bytes - (bytes != 0)) / granule_size + 1;
}
static_assert(granules_for(0) == 1 && granules_for(granule_size) == 1 &&
              granules_for(granule_size + 1) == 2);

inline std::uintptr_t address_of(const void* pointer) noexcept {
    return reinterpret_cast<std::uintptr_t>(pointer);
}

} // namespace resident::detail
