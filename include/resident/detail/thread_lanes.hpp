/// Where a thread finds its lanes, and how it takes a block of one inline.
#pragma once

#include "resident/detail/pool_front.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace resident::detail {

class lane_group;

/// What a thread has of the concurrent pools of this process.
///
/// A lane is its thread's alone, so nothing inline is an atomic read-modify-write. But when memory
/// runs out, what the lanes of other threads have cached is taken. A thread says what it is at, and
/// looks only then for its lane; a taker withdraws the lane, makes every thread pass a barrier
/// (membarrier(2)), and looks only then what the thread is at:
///
///     thread                                taker, with the pool's mutex
///     at = the class                        lanes[slot] = null
///     lane = lanes[slot]                    barrier in every thread
///       null: ask out of line               at the class?
///       else: change the list's head          yes: leave that list alone
///     at = none                               no:  the list is the taker's
///                                           lanes[slot] = lane
///
/// They cannot miss each other: either the thread finds no lane, or the taker finds that it is at
/// the class. The barrier stands for the fence that the thread's plain stores lack. Out of line a
/// thread is inside of the pool: the taker then leaves the whole lane alone.
/// Modelled in docs/models/taking.pml.
struct thread_lanes {
    static constexpr std::size_t most_pools = 32; ///< that have lanes, at a time

    /// The class whose list an inline call may change, by its offset in a lane; of whichever pool.
    /// 0, whose list stays empty: none. An inline call that changes nothing leaves it to the call
    /// out of line that follows.
    std::atomic<std::uint32_t> at;
    std::atomic<const lane_group*> inside; ///< the pool that a call out of line is of
    /// By the pool's slot; null: none, ask out of line. The last one is for pools without a slot,
    /// and stays null.
    std::array<std::atomic<pool_front*>, most_pools + 1> lanes;

    // Stores are released because a taker that reads one of them goes on with what came before.
    // The fences are for the compiler. The processor may go on before a store is seen: see above.
    void go_to(std::size_t class_offset) noexcept {
        at.store(static_cast<std::uint32_t>(class_offset), std::memory_order_release);
        std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    void enter(const lane_group* pool) noexcept {
        inside.store(pool, std::memory_order_release);
        std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    void leave_list() noexcept { at.store(0, std::memory_order_release); }
    void leave() noexcept {
        leave_list();
        inside.store(nullptr, std::memory_order_release);
    }
    [[nodiscard]] pool_front* lane(std::size_t slot) const noexcept {
        return lanes[slot].load(std::memory_order_acquire);
    }
};

/// Initial-exec: read with one instruction, and no call that could allocate it. Zeros at first.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local thread_lanes this_thread_lanes;

/// The inline way to a lane's list. Returns: a block; null if the call has to go out of line.
[[gnu::always_inline]] inline void* pop_from_lane(std::size_t slot,
                                                  std::size_t class_offset) noexcept {
    thread_lanes& thread = this_thread_lanes;
    thread.go_to(class_offset);
    pool_front* const lane = thread.lane(slot);
    if (lane == nullptr) [[unlikely]]
        return nullptr;
    void* const block = lane->class_at(class_offset).pop();
    if (block != nullptr) [[likely]]
        thread.leave_list();
    return block;
}

/// Returns: whether the list took the block; if not, the call has to go out of line.
[[gnu::always_inline]] inline bool push_to_lane(std::size_t slot, std::size_t class_offset,
                                                void* block) noexcept {
    thread_lanes& thread = this_thread_lanes;
    thread.go_to(class_offset);
    pool_front* const lane = thread.lane(slot);
    if (lane == nullptr || !lane->class_at(class_offset).push(block)) [[unlikely]]
        return false;
    thread.leave_list();
    return true;
}

} // namespace resident::detail
