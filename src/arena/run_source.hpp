/// The arena's run allocator for many threads: the hot half of an arena, and the pools' door to it.
#pragma once

#include "arena/granule.hpp"
#include "arena/run_allocator.hpp"
#include "os/priority_inheritance_mutex.hpp"
#include "resident/arena.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace resident::detail {

/// What an arena counts, in granules; at one moment.
struct run_counts {
    std::uint32_t capacity;
    std::uint32_t in_use;
    std::uint32_t peak_in_use;
    std::uint32_t largest_free_run;
    std::uint32_t runs_in_use;
    std::uint64_t failures;
};

/// Hands out runs by granule index to the pools and by address to arena. Each call is a constant
/// number of instructions under a priority-inheritance mutex; the fast paths are inline, and end in
/// a jump where they find the mutex taken.
///
/// Read as zeros, as in a child under fork_policy::wipe, it is a source of no capacity: allocating
/// is refused and capacity() is 0. What it handed out before is the parent's there.
class run_source {
public:
    static constexpr std::uint32_t none = run_allocator::none;

    /// Requires: run_allocator::storage_for(granules, max_granules) - sizeof(run_allocator) bytes
    /// directly behind. `name` must outlive it.
    run_source(std::byte* begin, std::uint32_t granules, std::uint32_t max_granules,
               const char* name) noexcept;
    run_source(const run_source&) = delete;
    run_source& operator=(const run_source&) = delete;

    // For the pools: nothing is checked.

    /// Returns: the first granule of a run of `count`, or `none`, which counts as a failure.
    /// Succeeds while count <= largest_free_run().
    /// The behavior is undefined unless 0 < count <= run_allocator::max_granules.
    std::uint32_t allocate_granules(std::uint32_t count) noexcept;

    /// The same for a slab: `usual` granules while the arena has plenty free, else `frugal`; or the
    /// longest run there is, if that is shorter than these and not shorter than `least`.
    std::uint32_t allocate_slab(std::uint32_t usual, std::uint32_t frugal,
                                std::uint32_t least) noexcept;

    /// Frees the run.
    /// The behavior is undefined unless a run in use begins at `first`, in this process.
    void deallocate_granules(std::uint32_t first) noexcept;

    /// Frees all but the first `count` granules of the run if a free run of at least `wanted` comes
    /// of it. Returns: whether.
    /// The behavior is undefined unless a run in use of at least `count` > 0 begins at `first`.
    bool shrink(std::uint32_t first, std::uint32_t count, std::uint32_t wanted) noexcept;

    /// Granules of a run that a request is sure to get, until another thread gets it. Exact: takes
    /// the mutex.
    [[nodiscard]] std::uint32_t largest_free_run() const noexcept;

    /// Granules of the run in use that begins at `first`; 0 if none does. Takes the mutex.
    [[nodiscard]] std::uint32_t run_length(std::uint32_t first) const noexcept;

    /// Whether less than 1/32 is free. Does not take the mutex: outdated when it is read.
    [[nodiscard]] bool is_nearly_used_up() const noexcept {
        const std::uint32_t all = capacity();
        return all - runs_.in_use() < all / 32;
    }

    /// Numbers for granule_record::owner: up to here for pools with one, from here on for pools
    /// with several.
    static constexpr std::uint32_t first_in_a_row = 0x8000;
    static constexpr std::uint32_t owners_in_a_row = 128;
    /// Returns: a number that no other pool has; 0 if there is none left. When all have been used
    /// once, linear in runs for each that it tries.
    std::uint16_t new_owner() noexcept;
    /// The same for owners_in_a_row numbers; returns the first of them, which must own a run as
    /// long as any of them does.
    std::uint16_t new_owners_in_a_row() noexcept;
    /// Returns: the first run with this owner, or the first behind one of them; or `none`.
    /// Linear in runs; takes the mutex.
    [[nodiscard]] std::uint32_t next_owned(std::uint16_t owner,
                                           std::uint32_t behind) const noexcept;
    /// The record of granule 0; the others follow.
    [[nodiscard]] granule_record* records() noexcept { return runs_.records(); }

    /// Where granule 0 is; constant. Null in a forked child.
    [[nodiscard]] std::byte* begin() const noexcept { return begin_; }
    /// Granules. Grows, never shrinks; whoever has been given a granule sees a capacity above it.
    [[nodiscard]] std::uint32_t capacity() const noexcept {
        return capacity_.load(std::memory_order_acquire);
    }

    // For arena: bytes and addresses, and bad frees are detected.

    /// As arena::try_allocate.
    void* allocate(std::size_t bytes, std::size_t alignment) noexcept;
    /// As arena::deallocate_run.
    void deallocate(void* run) noexcept;
    /// The same, checking the size too.
    void deallocate(void* run, std::size_t bytes) noexcept;

    // For who hands runs on in other lengths than they were allocated in.

    /// Effects: makes two runs of the one in use at `run`: its first `bytes`, a multiple of a
    /// granule, and the rest. Returns: whether there is such a run, longer than that; else nothing
    /// is changed.
    bool split(void* run, std::size_t bytes) noexcept;
    /// Effects: makes one run of the two in use at `run` and, directly behind it, at `next`.
    /// Returns: whether they are so; else nothing is changed.
    bool join(void* run, void* next) noexcept;

    // For arena_state.

    /// Effects: adds `count` granules to the capacity.
    void extend(std::uint32_t count) noexcept;
    [[nodiscard]] run_counts counts() const noexcept;
    /// As arena::check.
    [[nodiscard]] const char* check() const noexcept;

private:
    [[nodiscard]] std::uint32_t slab_length(std::uint32_t usual,
                                            std::uint32_t frugal) const noexcept {
        return runs_.is_scarce() ? frugal : usual;
    }

    // The slow paths, kept out of line. With the mutex to be waited for:
    std::uint32_t allocate_contended(std::uint32_t count) noexcept;
    std::uint32_t allocate_slab_contended(std::uint32_t usual, std::uint32_t frugal,
                                          std::uint32_t least) noexcept;
    void deallocate_contended(std::uint32_t first) noexcept;
    [[gnu::noinline]] void* allocate_contended(std::size_t bytes, std::size_t alignment) noexcept;
    [[gnu::noinline]] void deallocate_contended(void* run, std::size_t expected) noexcept;
    // Over-aligned, or not to be had:
    [[gnu::noinline]] void* allocate_unusual(std::size_t bytes, std::size_t alignment) noexcept;
    // With the mutex held, to be given up:
    [[gnu::noinline]] std::uint32_t allocate_held(std::uint32_t count) noexcept;
    /// Requires: find_fitting(count) found none, so that the longest run is the one to take.
    std::uint32_t allocate_slab_held(std::uint32_t count, std::uint32_t least) noexcept;
    [[gnu::noinline]] void* allocate_held(std::size_t bytes, std::size_t alignment) noexcept;
    template <typename IsTaken>
    std::uint32_t next_number(std::uint16_t& last, std::uint32_t count, IsTaken is_taken) noexcept;
    std::uint32_t refuse() noexcept; ///< counts a failure and returns `none`
    [[gnu::noinline]] std::uint32_t hand_on(std::uint32_t result) noexcept;
    [[gnu::noinline]] void* hand_on(void* result) noexcept;
    [[gnu::noinline]] void report_bad_free(const void* run) noexcept;

    /// The number of the granule that begins at `address`; above every other if none does.
    [[nodiscard, gnu::always_inline]] std::size_t granule_at(const void* address) const noexcept;
    /// Effects: frees the run, of `expected` granules or, if that is 0, of any number; false if
    /// there is no such run. Requires: the mutex.
    [[gnu::always_inline]] bool free_if_in_use(const void* run, std::size_t expected) noexcept;
    [[gnu::always_inline]] void deallocate_checked(void* run, std::size_t expected) noexcept;

    mutable os::priority_inheritance_mutex mutex_; ///< guards failures_ and runs_
    std::atomic<std::uint32_t> capacity_;          ///< written under mutex_
    std::byte* begin_;
    const char* name_;
    std::uint64_t failures_ = 0;
    std::uint16_t last_owner_ = 0;
    std::uint16_t last_row_ = 0;
    run_allocator runs_; ///< the last: its table lies behind
};

/// How the pools come to the source of an arena, which lives as long as the arena.
struct arena_access {
    [[nodiscard]] static run_source& runs(arena& of) noexcept;
};

inline std::uint32_t run_source::allocate_granules(std::uint32_t count) noexcept {
    static_assert(offsetof(run_source, runs_) + sizeof(run_allocator) == sizeof(run_source));
    if (!mutex_.try_lock()) [[unlikely]]
        return allocate_contended(count);
    const std::size_t list = runs_.find_fitting(count);
    if (list == 0) [[unlikely]]
        return allocate_held(count);
    const std::uint32_t first = runs_.take_first(list, count);
    if (!mutex_.try_unlock()) [[unlikely]]
        return hand_on(first);
    return first;
}

inline std::uint32_t run_source::allocate_slab(std::uint32_t usual, std::uint32_t frugal,
                                               std::uint32_t least) noexcept {
    if (!mutex_.try_lock()) [[unlikely]]
        return allocate_slab_contended(usual, frugal, least);
    const std::uint32_t count = slab_length(usual, frugal);
    const std::size_t list = runs_.find_fitting(count);
    if (list == 0) [[unlikely]]
        return allocate_slab_held(count, least);
    const std::uint32_t first = runs_.take_first(list, count);
    if (!mutex_.try_unlock()) [[unlikely]]
        return hand_on(first);
    return first;
}

inline void run_source::deallocate_granules(std::uint32_t first) noexcept {
    if (!mutex_.try_lock()) [[unlikely]]
        return deallocate_contended(first);
    runs_.deallocate(first);
    if (!mutex_.try_unlock()) [[unlikely]]
        mutex_.unlock_slowly();
}

} // namespace resident::detail
