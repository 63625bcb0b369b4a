/// All of a concurrent pool but the handle: its lanes, and what they share.
#pragma once

#include "os/priority_inheritance_mutex.hpp"
#include "pool/lane.hpp"
#include "pool/upstream_blocks.hpp"
#include "resident/arena.hpp"
#include "resident/pool_options.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory_resource>

namespace resident::detail {

/// Lies in a run of the arena, as each of its lanes does in one of its own.
///
///     thread A ---> lane 1 [ lists | slabs | inbox ] <--- blocks of lane 1 that B frees
///                              |  ^
///                    a full list, whole          depot: one such list for each class
///                              v  |
///     thread B ---> lane 2 [ lists | slabs | inbox ]
///     threads without a lane, one at a time ---> lane 0, the guarded one
///
/// A lane's lists may have blocks of any lane's slabs: neither allocate nor deallocate asks whose a
/// block is. Only when a list is full or empty it matters: a full list goes to the depot as a
/// whole, from where the next lane with an empty one has it; if the depot has one already, single
/// blocks go to their slabs, those of other lanes by way of their inboxes. A slab that has become
/// empty is kept for a while as a spare of any lane and class, so that slabs come and go without
/// the arena's mutex.
///
/// The mutex guards claims, the guarded lane, upstream's blocks, and taking memory from all lanes
/// when it has run out. It is not taken by calls that find what they need in their lane, the depot
/// or the arena.
///
/// A pool that checks each call has the guarded lane alone.
class lane_group {
public:
    static constexpr std::size_t most_lanes = 64; ///< beside the guarded one
    static constexpr std::uint32_t none = pool_state::none;
    static constexpr std::size_t own_size = size_classes::granule; ///< of the run it lies in
    /// Granules of the slabs that are kept as spares: the usual ones of most small classes.
    static constexpr std::uint32_t spare_length = usual_slab_size / size_classes::granule;

    /// Requires: `first_owner` is the first of new ones in a row.
    lane_group(const pool_options& options, arena& source, std::uint16_t first_owner,
               std::pmr::memory_resource* upstream) noexcept;
    lane_group(const lane_group&) = delete;
    lane_group& operator=(const lane_group&) = delete;

    /// Returns: a new group in a run of the arena; null if the arena has no room.
    [[nodiscard]] static lane_group* create(const pool_options& options, arena& source,
                                            std::pmr::memory_resource* upstream) noexcept;
    /// Effects: release(), and gives all runs back. Requires: no thread is inside.
    static void destroy(lane_group* doomed) noexcept;

    /// The calls out of line. Null if the request is refused, which is counted and told.
    void* allocate(std::size_t bytes, std::size_t alignment) noexcept;
    void deallocate(void* block, std::size_t bytes, std::size_t alignment) noexcept;
    bool attach() noexcept; ///< whether this thread has a lane of its own now
    bool reserve(std::size_t bytes, std::size_t count, std::size_t alignment) noexcept;
    void release() noexcept;
    void trim() noexcept;
    [[nodiscard]] std::size_t usable_size(const void* block) const noexcept;
    [[nodiscard]] bool owns(const void* address) const noexcept;
    [[nodiscard]] pool_statistics statistics() const noexcept;
    [[nodiscard]] std::size_t lanes_in_use() const noexcept;
    [[nodiscard]] std::size_t guarded_calls() const noexcept {
        return guarded_calls_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] const char* check() noexcept;

    [[nodiscard]] const pool_options& options() const noexcept { return options_; }
    [[nodiscard]] arena& source() const noexcept { return source_; }
    [[nodiscard]] std::pmr::memory_resource* upstream() const noexcept {
        return upstream_.resource();
    }
    [[nodiscard]] std::size_t slot() const noexcept { return slot_; }
    [[nodiscard]] lane& guarded_lane() const noexcept {
        return *lanes_[0].load(std::memory_order_relaxed);
    }

    // For the lanes.
    /// A whole list from the depot; null if it has none.
    [[nodiscard]] free_block* take_list(size_class_index index) noexcept {
        if (depot_[index].load(std::memory_order_relaxed) == nullptr)
            return nullptr;
        return depot_[index].exchange(nullptr, std::memory_order_acquire);
    }
    /// Null if the depot took the list, which is full; else the head of one that is as full.
    [[nodiscard]] free_block* put_list(size_class_index index, free_block* head) noexcept;
    /// Returns: the first granule of an empty slab of this length; none if there is no spare one.
    [[nodiscard]] std::uint32_t take_spare(std::uint32_t length) noexcept;
    /// Whether the run is kept as a spare slab. Requires: a run in use, of no owner.
    bool keep_spare(std::uint32_t first, std::uint32_t length) noexcept;
    [[nodiscard]] lane* lane_of(std::uint16_t owner) const noexcept;
    void hand_in_to_upstream(void* block) noexcept { to_upstream_.hand_in(block); }
    void note_held(std::size_t more) noexcept;
    [[nodiscard]] std::size_t longest_slab() const noexcept { return longest_slab_; }

    // For the threads.
    /// As the thread ends: its lane is for the next one to claim.
    void detach(thread_lanes& thread) noexcept;
    /// As the pool ends: no thread has a lane of it any more.
    void forget_holders() noexcept;

private:
    friend class lane_visit;

    [[nodiscard]] lane* make_lane(std::size_t index) noexcept;
    [[nodiscard]] lane* claim(thread_lanes& thread) noexcept;
    [[nodiscard]] lane& own_lane() const noexcept;
    [[nodiscard]] bool is_of_upstream(const void* block) const noexcept;
    void* allocate_when_exhausted(std::size_t bytes, std::size_t alignment) noexcept;
    void* allocate_from_everyone(std::size_t bytes, std::size_t alignment) noexcept;
    bool reserve_here(std::size_t bytes, std::size_t count, std::size_t alignment) noexcept;
    void* allocate_from_others(std::size_t bytes, std::size_t alignment) noexcept;
    void* allocate_upstream(std::size_t bytes, std::size_t alignment) noexcept;
    void deallocate_upstream(void* block) noexcept;
    void count_upstream(std::size_t bytes, std::uint32_t more) noexcept;
    void return_to_upstream() noexcept;
    void add_shared_to(pool_statistics& all) const noexcept;
    void refuse(std::size_t bytes, std::size_t alignment) noexcept;

    // lane_group_reclaim.cpp; under the mutex
    void reclaim() noexcept;
    void take_lanes() noexcept;
    void give_lanes_back() noexcept;
    [[nodiscard]] bool is_taken(const lane& each) const noexcept;
    [[nodiscard]] static std::size_t at(const lane& each) noexcept;
    [[nodiscard]] const char* check_totals(const lane_totals& totals) const noexcept;
    void empty_depot() noexcept;
    void give_back_spares() noexcept;
    template <class Action>
    void for_each_taken(Action action) const noexcept {
        for_each_lane([&](lane& each) {
            if (is_taken(each))
                action(each);
        });
    }
    template <class Action>
    void for_each_lane(Action action) const noexcept {
        const std::size_t count = lane_count_.load(std::memory_order_acquire);
        for (std::size_t index = 0; index < count; ++index)
            action(*lanes_[index].load(std::memory_order_relaxed));
    }

    mutable os::priority_inheritance_mutex mutex_;
    arena& source_;
    run_source& runs_;
    pool_options options_;
    upstream_blocks upstream_;
    inbox to_upstream_;                           ///< blocks of it that were in lists
    std::atomic<std::size_t> upstream_in_use_{0}; ///< bytes
    bool closed_;                      ///< checks each call: every call is the guarded lane's
    bool others_can_be_taken_ = false; ///< the kernel has the barrier
    bool others_are_taken_ = false;    ///< it was met, since take_lanes()
    std::uint16_t first_owner_;
    std::size_t longest_slab_; ///< granules
    std::size_t slot_;         ///< in thread_lanes
    std::atomic<std::size_t> lane_count_{0};
    std::array<std::atomic<lane*>, most_lanes + 1> lanes_{}; ///< lane 0 is the guarded one
    std::array<std::atomic<free_block*>, size_classes::count> depot_{};
    /// First granules of empty slabs, each of spare_length; none where there is no slab.
    std::array<std::atomic<std::uint32_t>, 4> spares_;
    std::atomic<bool> keeps_spares_{true}; ///< not while memory is taken back
    /// In use or in lists; of each class.
    std::array<std::atomic<std::uint32_t>, size_classes::count> upstream_blocks_{};
    std::atomic<std::size_t> held_{own_size}; ///< bytes, spares included
    std::atomic<std::size_t> peak_held_{own_size};
    std::atomic<std::uint64_t> failures_{0};
    std::atomic<std::size_t> guarded_calls_{0};
};
static_assert(sizeof(lane_group) <= lane_group::own_size);
static_assert(sizeof(lane) <= 4 * size_classes::granule);
static_assert(lane_group::most_lanes < run_source::owners_in_a_row);

} // namespace resident::detail
