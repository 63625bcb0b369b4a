// Taking back what all lanes have cached: when memory has run out, or on request.

#include "os/process_barrier.hpp"
#include "pool/lane_group.hpp"

#include <mutex>

namespace resident::detail {

/// Makes the lanes of threads that are not inside of the pool this thread's for a while. They find
/// none inline meanwhile, and wait for the mutex out of line. Requires: the mutex.
void lane_group::take_lanes() noexcept {
    if (closed_)
        return;
    keeps_spares_.store(false, std::memory_order_relaxed);
    others_are_taken_ = others_can_be_taken_;
    bool has_others = false;
    for_each_lane([&](lane& each) {
        thread_lanes* const thread = each.holder.load(std::memory_order_relaxed);
        if (thread == nullptr || (thread != &this_thread_lanes && !others_can_be_taken_))
            return;
        has_others = has_others || thread != &this_thread_lanes;
        thread->lanes[slot_].store(nullptr, std::memory_order_relaxed);
    });
    if (has_others)
        others_are_taken_ = os::process_barrier();
}

void lane_group::give_lanes_back() noexcept {
    if (closed_)
        return;
    keeps_spares_.store(true, std::memory_order_relaxed);
    for_each_taken([](lane& each) { each.report_held(); });
    for_each_lane([&](lane& each) {
        if (thread_lanes* const thread = each.holder.load(std::memory_order_relaxed))
            thread->lanes[slot_].store(&each, std::memory_order_release);
    });
}

/// The class, as an offset, whose list the lane's thread may be changing; 0 if none.
std::size_t lane_group::at(const lane& each) noexcept {
    const thread_lanes* const thread = each.holder.load(std::memory_order_relaxed);
    if (thread == nullptr || thread == &this_thread_lanes)
        return 0;
    return thread->at.load(std::memory_order_acquire);
}

/// Whether the lane was taken, but for a list that its thread is at. Not if the thread is inside of
/// a call; it may begin one at any time, only to find no lane, and to wait for the mutex: then this
/// is false for a moment, to no harm but that the lane is left out.
bool lane_group::is_taken(const lane& each) const noexcept {
    const thread_lanes* const thread = each.holder.load(std::memory_order_relaxed);
    if (thread == nullptr || thread == &this_thread_lanes)
        return true;
    return others_are_taken_ && thread->inside.load(std::memory_order_acquire) != this;
}

/// Blocks go to their slabs by way of their owners' inboxes; slabs without a block in use go back
/// to the arena. Requires: the mutex, and the lanes taken.
void lane_group::reclaim() noexcept {
    if (closed_)
        return;
    for_each_taken([](lane& each) { each.empty_lists(at(each)); });
    empty_depot();
    for_each_taken([](lane& each) { each.empty_slabs(); });
    give_back_spares();
    return_to_upstream();
}

void lane_group::empty_depot() noexcept {
    lane& guarded = guarded_lane();
    for (auto& list : depot_) {
        free_block* block = list.exchange(nullptr, std::memory_order_acquire);
        while (block != nullptr && block->next != nullptr) {
            free_block* const next = block->next;
            guarded.free_anywhere(block);
            block = next;
        }
    }
}

void lane_group::give_back_spares() noexcept {
    for (auto& spare : spares_) {
        const std::uint32_t first = spare.exchange(none, std::memory_order_acquire);
        if (first == none)
            continue;
        note_held(0 - usual_slab_size);
        runs_.deallocate_granules(first);
    }
}

void lane_group::trim() noexcept {
    const std::lock_guard guard(mutex_);
    if (closed_)
        return guarded_lane().pool_state::trim();
    take_lanes();
    reclaim();
    for_each_taken([](lane& each) {
        for (unsigned next = 0; next != size_classes::count;)
            next = each.give_back_tail_from(next, 0);
    });
    give_lanes_back();
}

/// Requires: the lanes taken, all of them, and no spares.
const char* lane_group::check_totals(const lane_totals& totals) const noexcept {
    if (totals.counted_held != totals.held)
        return "the lanes' counts of bytes held are wrong";
    if (totals.counted_runs != totals.runs)
        return "the lanes' counts of bytes in runs are wrong";
    if (held_.load(std::memory_order_relaxed) != totals.held + own_size)
        return "the count of bytes held by all lanes is wrong";
    return nullptr;
}

const char* lane_group::check() noexcept {
    const std::lock_guard guard(mutex_);
    if (closed_)
        return guarded_lane().check();
    take_lanes();
    bool has_all = true;
    for_each_lane([&](const lane& each) { has_all = has_all && is_taken(each); });
    reclaim();
    const char* broken = upstream_.check();
    lane_totals totals;
    for_each_lane([&](lane& each) {
        if (broken != nullptr || !is_taken(each) || at(each) != 0) {
            has_all = false;
            return;
        }
        // What is in a list may be of any lane; in its slab it is checked by the owner. The list of
        // a thread that was in a call until now is not empty yet.
        each.empty_lists(0);
        each.report_held();
        broken = each.check_lane(totals);
    });
    if (has_all && broken == nullptr)
        broken = check_totals(totals);
    give_lanes_back();
    return broken;
}

} // namespace resident::detail
