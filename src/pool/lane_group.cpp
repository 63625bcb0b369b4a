#include "pool/lane_group.hpp"

#include "os/process_barrier.hpp"
#include "pool/annotations.hpp"
#include "pool/lane_registry.hpp"
#include "pool/lane_visit.hpp"

#include <algorithm>
#include <mutex>
#include <new>

namespace resident::detail {

lane_group::lane_group(const pool_options& options, arena& source, std::uint16_t first_owner,
                       std::pmr::memory_resource* upstream) noexcept
    : source_(source), runs_(arena_access::runs(source)), options_(options), upstream_(upstream),
      closed_(options.checks != check_level::off || blocks_are_watched()),
      first_owner_(first_owner), longest_slab_(detail::longest_slab(runs_.capacity())),
      slot_(thread_lanes::most_pools) {
    for (auto& spare : spares_)
        spare.store(none, std::memory_order_relaxed);
}

lane_group* lane_group::create(const pool_options& options, arena& source,
                               std::pmr::memory_resource* upstream) noexcept {
    run_source& runs = arena_access::runs(source);
    const std::uint16_t first_owner = runs.new_owners_in_a_row();
    void* const run =
        first_owner == 0 ? nullptr : runs.allocate(sizeof(lane_group), alignof(lane_group));
    if (run == nullptr)
        return nullptr;
    auto* const made = new (run) lane_group(options, source, first_owner, upstream);
    if (made->make_lane(0) == nullptr) {
        runs.deallocate(run);
        return nullptr;
    }
    made->others_can_be_taken_ = os::prepare_process_barrier();
    made->options_.largest_required_pool_block =
        made->guarded_lane().options().largest_required_pool_block;
    if (!made->closed_)
        made->slot_ = register_group(*made);
    return made;
}

void lane_group::destroy(lane_group* doomed) noexcept {
    unregister_group(*doomed);
    doomed->upstream_.release();
    doomed->keeps_spares_.store(false, std::memory_order_relaxed);
    doomed->give_back_spares();
    for (std::size_t index = doomed->lane_count_; index-- > 0;)
        pool_state::destroy(doomed->lanes_[index].load(std::memory_order_relaxed));
    run_source& runs = doomed->runs_;
    doomed->~lane_group();
    runs.deallocate(doomed);
}

/// Null if the arena has no room.
lane* lane_group::make_lane(std::size_t index) noexcept {
    void* const run = runs_.allocate(sizeof(lane), alignof(lane));
    if (run == nullptr)
        return nullptr;
    auto* const made =
        new (run) lane(options_, source_, static_cast<std::uint16_t>(first_owner_ + index),
                       closed_ ? upstream_.resource() : nullptr, closed_ ? nullptr : this);
    lanes_[index].store(made, std::memory_order_release);
    lane_count_.store(index + 1, std::memory_order_release);
    return made;
}

/// Gives the thread a lane that nobody has, a used one if possible. Null if there is none.
/// Requires: the mutex.
lane* lane_group::claim(thread_lanes& thread) noexcept {
    if (slot_ == thread_lanes::most_pools || !register_this_thread())
        return nullptr;
    const std::size_t count = lane_count_.load(std::memory_order_relaxed);
    lane* claimed = nullptr;
    for (std::size_t index = 1; claimed == nullptr && index < count; ++index) {
        lane* const each = lanes_[index].load(std::memory_order_relaxed);
        if (each->holder.load(std::memory_order_relaxed) == nullptr)
            claimed = each;
    }
    if (claimed == nullptr && count <= most_lanes)
        claimed = make_lane(count);
    if (claimed == nullptr)
        return nullptr;
    claimed->holder.store(&thread, std::memory_order_relaxed);
    thread.lanes[slot_].store(claimed, std::memory_order_release);
    return claimed;
}

void lane_group::detach(thread_lanes& thread) noexcept {
    const std::lock_guard guard(mutex_);
    thread.lanes[slot_].store(nullptr, std::memory_order_relaxed);
    for_each_lane([&](lane& each) {
        if (each.holder.load(std::memory_order_relaxed) != &thread)
            return;
        each.end_reserve(); // it was this thread's
        each.report_held();
        each.holder.store(nullptr, std::memory_order_relaxed);
    });
}

void lane_group::forget_holders() noexcept {
    for_each_lane([&](lane& each) {
        if (thread_lanes* const thread = each.holder.load(std::memory_order_relaxed))
            thread->lanes[slot_].store(nullptr, std::memory_order_relaxed);
        each.holder.store(nullptr, std::memory_order_relaxed);
    });
}

bool lane_group::attach() noexcept {
    if (!lane_visit(*this).is_guarded())
        return true;
    if (slot_ == thread_lanes::most_pools || lane_count_ > most_lanes)
        return false; // all are taken
    trim();           // there was no room for one more
    return !lane_visit(*this).is_guarded();
}

void* lane_group::allocate(std::size_t bytes, std::size_t alignment) noexcept {
    {
        const lane_visit here(*this);
        if (closed_) [[unlikely]] // a pool by itself: it tells and counts what it refuses
            return here->try_allocate(here->class_for(bytes, alignment), bytes, alignment);
        if (void* const block = here->allocate_here(bytes, alignment)) [[likely]]
            return block;
    }
    return allocate_when_exhausted(bytes, alignment);
}

void lane_group::deallocate(void* block, std::size_t bytes, std::size_t alignment) noexcept {
    if (!closed_ && is_of_upstream(block)) [[unlikely]] {
        this_thread_lanes.leave();
        const std::lock_guard guard(mutex_);
        deallocate_upstream(block);
        return return_to_upstream();
    }
    const lane_visit here(*this);
    if (!closed_) [[likely]]
        here->deallocate_here(block, bytes, alignment);
    else if (bytes == pool_state::unknown_size)
        here->deallocate_unsized(block);
    else
        here->pool_front::deallocate(here->class_for(bytes, alignment), block, bytes, alignment);
}

bool lane_group::reserve(std::size_t bytes, std::size_t count, std::size_t alignment) noexcept {
    if (reserve_here(bytes, count, alignment))
        return true;
    trim(); // what the others have cached is there, too
    return reserve_here(bytes, count, alignment);
}

/// Not in the guarded lane for a thread that will have one of its own by and by.
bool lane_group::reserve_here(std::size_t bytes, std::size_t count,
                              std::size_t alignment) noexcept {
    const lane_visit here(*this);
    const bool will_stay = !here.is_guarded() || slot_ == thread_lanes::most_pools;
    return will_stay && here->reserve(bytes, count, alignment);
}

/// After everything that any lane has cached was given back.
void* lane_group::allocate_when_exhausted(std::size_t bytes, std::size_t alignment) noexcept {
    void* block = nullptr;
    {
        const std::lock_guard guard(mutex_);
        if (bytes <= std::size_t{runs_.capacity()} * size_classes::granule) // else in vain
            block = allocate_from_everyone(bytes, alignment);
        if (block == nullptr)
            block = allocate_upstream(bytes, alignment);
    }
    if (block == nullptr)
        refuse(bytes, alignment);
    return block;
}

/// Requires: the mutex.
void* lane_group::allocate_from_everyone(std::size_t bytes, std::size_t alignment) noexcept {
    take_lanes();
    reclaim();
    void* block = own_lane().allocate_here(bytes, alignment);
    if (block == nullptr)
        block = allocate_from_others(bytes, alignment);
    give_lanes_back();
    return block;
}

/// With the part never used of a slab of another lane, or a block of another's slab, which may be
/// larger. Requires: the mutex, and the lanes taken.
void* lane_group::allocate_from_others(std::size_t bytes, std::size_t alignment) noexcept {
    lane& own = own_lane();
    const size_class_index index = own.index_of(own.class_for(bytes, alignment));
    const std::size_t granules =
        (bytes + std::max(alignment, size_classes::granule) - 1) / size_classes::granule;
    const std::uint32_t wanted =
        own.is_pooled(index) ? slab_geometries[index].least
                             : static_cast<std::uint32_t>(std::min<std::size_t>(granules, none));
    void* block = nullptr;
    for_each_taken([&](lane& each) {
        for (unsigned next = 0; block == nullptr && next != size_classes::count;) {
            next = each.give_back_tail_from(next, wanted);
            if (next != size_classes::count)
                block = own.allocate_here(bytes, alignment);
        }
    });
    if (!own.is_pooled(index))
        return block;
    // In a list it must do for whatever the list serves.
    const std::size_t needed = std::max(alignment, alignment_of_blocks(index)) - 1;
    for (unsigned larger = index; block == nullptr && larger != size_classes::count; ++larger) {
        if ((slab_geometries[larger].block_size & needed) != 0)
            continue;
        for_each_taken([&](lane& each) {
            if (block == nullptr)
                block = each.lend(static_cast<size_class_index>(larger));
        });
    }
    return block;
}

/// This thread's; the guarded one if it has none. Requires: the mutex, and that it was taken.
lane& lane_group::own_lane() const noexcept {
    lane* own = &guarded_lane();
    for_each_lane([&](lane& each) {
        if (each.holder.load(std::memory_order_relaxed) == &this_thread_lanes)
            own = &each;
    });
    return *own;
}

/// A whole block of the request's class, because it may come into a list of it.
/// Requires: the mutex.
void* lane_group::allocate_upstream(std::size_t bytes, std::size_t alignment) noexcept {
    if (upstream_.resource() == nullptr)
        return nullptr;
    lane& own = own_lane();
    const size_class_index index = own.index_of(own.class_for(bytes, alignment));
    if (own.is_pooled(index)) {
        bytes = slab_geometries[index].block_size;
        alignment = std::max(alignment, alignment_of_blocks(index));
    }
    void* const block = upstream_.try_allocate(bytes, alignment);
    if (block != nullptr)
        count_upstream(bytes, 1);
    return block;
}

/// Requires: the mutex, as all that is upstream's.
void lane_group::count_upstream(std::size_t bytes, std::uint32_t more) noexcept {
    const size_class_index index = guarded_lane().class_of(bytes, 1);
    if (guarded_lane().is_pooled(index))
        upstream_blocks_[index].fetch_add(more, std::memory_order_relaxed);
    upstream_in_use_.store(upstream_.in_use(), std::memory_order_relaxed);
}

void lane_group::deallocate_upstream(void* block) noexcept {
    const std::size_t bytes = upstream_blocks::size(block);
    upstream_.deallocate(block);
    count_upstream(bytes, 0U - 1U);
}

/// Requires: the mutex.
void lane_group::return_to_upstream() noexcept {
    while (void* const block = to_upstream_.take())
        deallocate_upstream(block);
}

void lane_group::refuse(std::size_t bytes, std::size_t alignment) noexcept {
    failures_.fetch_add(1, std::memory_order_relaxed);
    if (options_.on_failure.notify != nullptr)
        options_.on_failure.notify(options_.on_failure.context, bytes, alignment, statistics());
}

bool lane_group::is_of_upstream(const void* block) const noexcept {
    const std::size_t offset = static_cast<std::size_t>(
        reinterpret_cast<std::uintptr_t>(block) - reinterpret_cast<std::uintptr_t>(runs_.begin()));
    return offset >= std::size_t{runs_.capacity()} * size_classes::granule;
}

free_block* lane_group::put_list(size_class_index index, free_block* head) noexcept {
    if (depot_[index].load(std::memory_order_relaxed) != nullptr)
        return head;
    // Another thread may have been faster: then its list is this lane's now.
    return depot_[index].exchange(head, std::memory_order_acq_rel);
}

std::uint32_t lane_group::take_spare(std::uint32_t length) noexcept {
    if (length != spare_length)
        return none;
    for (auto& spare : spares_)
        if (spare.load(std::memory_order_relaxed) != none) {
            const std::uint32_t first = spare.exchange(none, std::memory_order_acquire);
            if (first != none)
                return first;
        }
    return none;
}

bool lane_group::keep_spare(std::uint32_t first, std::uint32_t length) noexcept {
    if (length != spare_length || !keeps_spares_.load(std::memory_order_relaxed))
        return false;
    for (auto& spare : spares_) {
        std::uint32_t expected = none;
        if (spare.load(std::memory_order_relaxed) == none &&
            spare.compare_exchange_strong(expected, first, std::memory_order_release,
                                          std::memory_order_relaxed))
            return true;
    }
    return false;
}

lane* lane_group::lane_of(std::uint16_t owner) const noexcept {
    const std::size_t index = std::size_t{owner} - first_owner_;
    return index <= most_lanes ? lanes_[index].load(std::memory_order_acquire) : nullptr;
}

void lane_group::note_held(std::size_t more) noexcept {
    const std::size_t held = held_.fetch_add(more, std::memory_order_relaxed) + more;
    // Of two threads at once the higher may be lost to the lower, and what one has given back is
    // reported at the end of its call: a peak to within a slab or run of each thread.
    if (held > peak_held_.load(std::memory_order_relaxed))
        peak_held_.store(held, std::memory_order_relaxed);
}

void lane_group::release() noexcept {
    const std::lock_guard guard(mutex_);
    to_upstream_.forget();
    upstream_.release();
    upstream_in_use_.store(0, std::memory_order_relaxed);
    for (auto& list : depot_)
        list.store(nullptr, std::memory_order_relaxed);
    for_each_lane([](lane& each) {
        each.release_all();
        each.report_held();
    });
    give_back_spares();
    for (auto& count : upstream_blocks_)
        count.store(0, std::memory_order_relaxed);
}

std::size_t lane_group::usable_size(const void* block) const noexcept {
    if (!closed_)
        return guarded_lane().usable_size(block);
    const std::lock_guard guard(mutex_);
    return guarded_lane().usable_size(block);
}

/// The length is asked for under the arena's mutex: a lane may be giving a part of a slab back.
bool lane_group::owns(const void* address) const noexcept {
    if (is_of_upstream(address))
        return false;
    const std::uint32_t granule = guarded_lane().first_granule_at(address);
    const std::uint32_t distance = runs_.records()[granule].distance_now();
    if (distance > granule)
        return false;
    const std::uint32_t first = granule - distance;
    return lane_of(runs_.records()[first].owner_now()) != nullptr &&
           distance < runs_.run_length(first);
}

std::size_t lane_group::lanes_in_use() const noexcept {
    std::size_t count = 0;
    for_each_lane([&](const lane& each) {
        count += each.holder.load(std::memory_order_relaxed) != nullptr ? 1U : 0U;
    });
    return count;
}

} // namespace resident::detail
