/// The part of a concurrent pool that one thread owns.
#pragma once

#include "pool/inbox.hpp"
#include "pool/pool_state.hpp"
#include "resident/detail/thread_lanes.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory_resource>

namespace resident::detail {

/// A pool of one thread, with slabs of its own, and an inbox for its blocks that others free. A few
/// of them are freed at each call out of line.
class alignas(64) lane : public pool_state {
public:
    /// `group` is null in a pool that checks each call: then it has this one, as a pool by itself.
    lane(const pool_options& options, arena& source, std::uint16_t owner,
         std::pmr::memory_resource* upstream, lane_group* group) noexcept;

    /// Any thread. Requires: a block of this lane's slabs, in use.
    void hand_in(void* block) noexcept { inbox_.hand_in(block); }

    // The rest: whoever has the lane for itself.

    /// Null if the arena has no room.
    void* allocate_here(std::size_t bytes, std::size_t alignment) noexcept;
    /// `bytes` may be unknown_size.
    void deallocate_here(void* block, std::size_t bytes, std::size_t alignment) noexcept;

    /// Puts up to `most` blocks of the inbox into their lists. Returns: whether these had room.
    bool take_in(unsigned most) noexcept { return inbox_.is_empty() || take_in_some(most); }
    /// Frees the first block of the inbox, in its slab if its list has no room.
    void take_in_beyond_limit() noexcept;
    /// Effects: every block in the lists goes to its slab, or its owner's inbox; but the list at
    /// the class offset `except` stays as it is.
    void empty_lists(std::size_t except) noexcept;
    // These change no list's head, so that a thread may be at one.
    /// Frees all that is in the inbox, past the lists, and gives back slabs without blocks in use.
    void empty_slabs() noexcept;
    /// Returns: a block of the class from a slab, for another lane; null if there is none beside
    /// as many as are reserved.
    void* lend(size_class_index index) noexcept;
    /// Gives back the part never used of a slab that leaves a free run of `wanted` granules: of
    /// class `next`, or the first behind it. Returns: the class to go on with; the count of classes
    /// if there was none.
    unsigned give_back_tail_from(unsigned next, std::uint32_t wanted) noexcept;
    /// Effects: what is reserved may be given back; slabs that it kept are, if they are empty.
    void end_reserve() noexcept;
    /// Effects: frees everything, as pool_state::release().
    void release_all() noexcept;
    void add_to(pool_statistics& all) const noexcept; ///< lane_statistics.cpp; any thread
    /// Tells the group what was taken from the arena, or given back, since the last time.
    void report_held() noexcept;

    std::atomic<thread_lanes*> holder{nullptr}; ///< written under the group's mutex

private:
    friend class pool_state;

    /// Whether the list took the block, be it that it is empty now because the depot has all else.
    bool push_or_pass_on(class_list& list, void* block) noexcept;

    [[gnu::noinline]] bool take_in_some(unsigned most) noexcept;

    static constexpr unsigned taken_in_at_once = 4;

    std::size_t reported_held_ = 0; ///< bytes
    inbox inbox_;
};

} // namespace resident::detail
