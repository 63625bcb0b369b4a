/// Counters of a pool.
#pragma once

#include "resident/detail/size_classes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace resident {

/// Blocks of one size class.
struct size_class_statistics {
    std::uint32_t block_size = 0; ///< bytes
    std::uint32_t in_use = 0;     ///< blocks
    std::uint32_t cached = 0;     ///< blocks that are free, in the list that serves requests inline
    std::uint32_t free = 0;       ///< blocks that are free, the cached ones included
};

/// Counters of a pool; bytes unless said otherwise. Taken when asked for, from what the pool keeps
/// for itself: no call of allocate or deallocate pays for them.
struct pool_statistics {
    std::size_t held = 0; ///< taken from the arena: slabs, runs, and the pool's own state
    /// The most that was ever held. With threads to within a slab or run of each: one may give back
    /// what another has taken and counted already. The arena's peak_in_use is exact.
    std::size_t peak_held = 0;
    std::size_t in_use = 0; ///< blocks and runs handed out, in whole blocks and granules
    /// As requested, of what is in use. Counted by pools that check each call (check_level),
    /// because the inline path does not count; others say in_use.
    std::size_t requested = 0;
    std::size_t cached = 0;         ///< free blocks in lists, and slabs' parts never used so far
    std::size_t largest_block = 0;  ///< a request of this size, not over-aligned, succeeds now
    std::size_t upstream = 0;       ///< in use that came from upstream
    std::uint64_t failures = 0;     ///< requests refused
    std::uint64_t arena_visits = 0; ///< calls of the arena, failed ones included
    static constexpr std::size_t size_class_count = detail::size_classes::count - 1;
    std::array<size_class_statistics, size_class_count> classes{}; ///< by size, ascending
};

} // namespace resident
