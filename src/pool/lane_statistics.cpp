// The counts of lanes that their threads are using meanwhile.

#include "pool/lane_group.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace resident::detail {

namespace {

/// Reads once what another thread may be writing.
template <typename T>
[[gnu::always_inline]] inline T snapshot(const T& value) noexcept {
    return *const_cast<const volatile T*>(&value);
}

/// Blocks in the list of a lane whose thread may be using it. The first block may be handed out and
/// written to while it is looked at: then the list has another first one afterwards, but for one
/// that is back so soon. So this may be wrong for a moment, within what a list can have.
/// Requires: no block goes back to upstream meanwhile.
__attribute__((no_sanitize("thread"))) std::uint32_t
depth_in_passing(const class_list& list) noexcept {
    for (int tried = 0; tried < 8; ++tried) {
        const free_block* const first = snapshot(list.head);
        const bool is_mark = snapshot(first->next) == nullptr;
        const std::uint32_t room = snapshot(first->room);
        if (snapshot(list.head) == first)
            return is_mark || room >= list.capacity ? 0 : list.capacity - room;
    }
    return 0;
}

} // namespace

/// Adds what can be added lane by lane, as pool_state::statistics has it: a block may be in the
/// list of another lane than its slab's. Stops nobody.
__attribute__((no_sanitize("thread"))) void lane::add_to(pool_statistics& all) const noexcept {
    all.in_use += snapshot(runs_in_use_);
    all.arena_visits += snapshot(arena_visits_);
    for (unsigned index = 1; index < size_classes::count; ++index) {
        const class_list& list = classes[index];
        size_class_statistics& each = all.classes[index - 1];
        const std::uint32_t listed = depth_in_passing(list) + snapshot(list.surplus_count);
        const std::uint32_t free_listed = snapshot(list.free_listed);
        const std::uint32_t current = snapshot(list.current);
        std::uint32_t uncut = 0; // a slab that changes hands meanwhile has any count
        if (current != none) {
            const std::uint32_t carved = snapshot(record(current).carved);
            uncut = std::max<std::uint32_t>(snapshot(record(current).blocks), carved) - carved;
        }
        each.cached += listed;
        each.free += free_listed + listed + uncut;
        each.in_use += snapshot(list.carved) - free_listed - listed;
    }
}

/// The lists of the depot are full. Upstream's blocks count as those of slabs.
void lane_group::add_shared_to(pool_statistics& all) const noexcept {
    for (unsigned index = 1; index < size_classes::count; ++index) {
        size_class_statistics& each = all.classes[index - 1];
        each.in_use += upstream_blocks_[index].load(std::memory_order_relaxed);
        if (depot_[index].load(std::memory_order_relaxed) == nullptr)
            continue;
        const std::uint32_t listed = guarded_lane().classes[index].capacity;
        each.cached += listed;
        each.free += listed;
        each.in_use -= listed;
    }
    all.held = held_.load(std::memory_order_relaxed);
    all.peak_held = peak_held_.load(std::memory_order_relaxed);
    all.upstream = upstream_in_use_.load(std::memory_order_relaxed);
    all.failures = failures_.load(std::memory_order_relaxed);
}

pool_statistics lane_group::statistics() const noexcept {
    if (closed_) {
        const std::lock_guard guard(mutex_);
        pool_statistics all = guarded_lane().statistics();
        all.held += own_size;
        all.peak_held += own_size;
        return all;
    }
    pool_statistics all;
    {
        // Upstream's blocks in lists are looked at, too: meanwhile none is given back to it.
        std::unique_lock guard(mutex_, std::defer_lock);
        if (upstream_.resource() != nullptr)
            guard.lock();
        for_each_lane([&](const lane& each) { each.add_to(all); });
        add_shared_to(all);
    }
    // Less than 0 where a block is counted in the list of one class, or lane, and not where it is
    // from: lent by another class, or under way while the lanes are looked at.
    std::int64_t missing = 0;
    for (unsigned index = 1; index < size_classes::count; ++index) {
        std::uint32_t& blocks = all.classes[index - 1].in_use;
        const auto less = std::min(static_cast<std::int32_t>(blocks), 0);
        missing -= std::int64_t{less} * slab_geometries[index].block_size;
        blocks -= static_cast<std::uint32_t>(less);
    }
    guarded_lane().add_up(all);
    const std::int64_t in_use = static_cast<std::int64_t>(all.in_use) - missing;
    all.in_use = static_cast<std::size_t>(std::max<std::int64_t>(in_use, 0));
    all.requested = all.in_use;
    return all;
}

} // namespace resident::detail
