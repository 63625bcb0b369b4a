/// What the arena, and a pool, know of one granule; out of band.
#pragma once

#include <cstdint>

namespace resident::detail {

/// Where a free run is in its list; also what a list's head consists of.
struct run_links {
    /// The length; in_use and, on the first granule, begins_used_run are added for a run in use.
    std::uint32_t state;
    std::uint32_t next; ///< links: see run_allocator
    std::uint32_t previous;

    static constexpr std::uint32_t in_use = 1U << 31;
    static constexpr std::uint32_t begins_used_run = 1U << 30; ///< so that a bad free is seen
    static constexpr std::uint32_t length_bits = begins_used_run - 1;
    static constexpr std::uint32_t used_first = in_use | begins_used_run;

    [[nodiscard]] bool is_free() const noexcept { return (state & in_use) == 0; }
    [[nodiscard]] std::uint32_t length() const noexcept { return state & length_bits; }
};

/// What is known of one granule. Only the first and the last granule of a run say something.
///
///     granule   0   1   2   3   4   5   6   7
///     run       [ used, 3 ] [free, 2] [used,3]
///     in use    x   -   x           x   -   x      first and last of a run in use
///     length    3   -   -   2   2   3   -   -      first of any, and last of a free run
///     links                 next,                  first of a free run: neighbours in its list
///                           previous
///
/// Whoever holds a run has the rest of its first record, the links included, for itself, and all
/// but `state` of the others. The arena writes there only to what is free, and reads nothing.
struct granule_record : run_links {
    // What a pool knows of a slab, on its first granule: see pool_state.
    std::uint16_t owner;  ///< which pool; 0 on every run that is no pool's
    std::uint16_t head;   ///< of the list of free blocks; from the slab's begin, in units of 8
    std::uint16_t free;   ///< blocks in that list
    std::uint16_t carved; ///< blocks in use or free; the others were never used so far
    std::uint16_t blocks; ///< that there is room for
    std::uint8_t size_class;
    std::uint8_t distance; ///< where a block begins: granules back to the slab's first

    // A pool says whose a run is while others, of the same arena, look through all for theirs; and
    // where its blocks lie while others are asked about any address.

    void set_owner(std::uint16_t pool) noexcept {
        __atomic_store_n(&owner, pool, __ATOMIC_RELAXED);
    }
    [[nodiscard]] std::uint16_t owner_now() const noexcept {
        return __atomic_load_n(&owner, __ATOMIC_RELAXED);
    }
    void set_distance(std::uint8_t granules) noexcept {
        __atomic_store_n(&distance, granules, __ATOMIC_RELAXED);
    }
    [[nodiscard]] std::uint8_t distance_now() const noexcept {
        return __atomic_load_n(&distance, __ATOMIC_RELAXED);
    }
};
static_assert(sizeof(granule_record) == 24, "24 bytes a granule: 0.6 % of the capacity");

} // namespace resident::detail
