#include "pool/lane.hpp"

#include "pool/lane_group.hpp"

namespace resident::detail {

lane::lane(const pool_options& options, arena& source, std::uint16_t owner,
           std::pmr::memory_resource* upstream, lane_group* group) noexcept
    : pool_state(options, source, owner, upstream, nullptr, group) {
    if (group == nullptr)
        return;
    // The arena may have grown; but whole lists go from lane to lane, and are equally long.
    longest_slab_ = group->longest_slab();
    begin_lists();
    report_held();
}

bool lane::push_or_pass_on(class_list& list, void* block) noexcept {
    if (list.push(block))
        return true;
    free_block* full = list.head;
    // A list that is closed has none; and what is reserved here is not for whoever comes first.
    if (full->next == nullptr || list.reserved != 0)
        return false;
    full = group_->put_list(index_of(list), full);
    if (full != nullptr) {
        list.head = full;
        return false;
    }
    open(list);
    return list.push(block);
}

bool lane::take_in_some(unsigned most) noexcept {
    for (; most != 0; --most) {
        void* const block = inbox_.take();
        if (block == nullptr)
            return true;
        if (!push_or_pass_on(classes[record(first_granule(block)).size_class], block)) {
            inbox_.put_back(block);
            return false;
        }
    }
    return true;
}

void lane::take_in_beyond_limit() noexcept {
    if (void* const block = inbox_.take()) {
        const std::uint32_t first = first_granule(block);
        class_list& list = classes[record(first).size_class];
        if (!list.push(block)) // there may be room by now
            free_beyond_limit(list, first, block);
    }
}

/// Of what takes long, freeing a block whose list is full and beginning a slab, a call does one.
void* lane::allocate_here(std::size_t bytes, std::size_t alignment) noexcept {
    class_list& list = class_for(bytes, alignment);
    if (void* const block = list.pop())
        return block;
    if (is_open(list)) {
        if (free_block* const head = group_->take_list(index_of(list))) {
            list.head = head;
            return list.pop();
        }
    }
    const bool had_room = take_in(taken_in_at_once);
    void* block = list.pop();
    if (block == nullptr && can_refill(list))
        block = refill(list);
    if (block != nullptr) [[likely]] {
        if (!had_room)
            take_in_beyond_limit();
        return block;
    }
    if (!is_open(list)) [[unlikely]]
        return allocate_past_list(list, bytes, alignment);
    const std::uint32_t spare = group_->take_spare(most_granules(geometry_of(list)));
    if (spare == none)
        return allocate_from_arena_out_of_line(list, alignment);
    reported_held_ += usual_slab_size; // a spare is held by the group
    return begin_slab_out_of_line(list, spare);
}

/// The same: of a block whose list is full and one of the inbox, it frees one.
void lane::deallocate_here(void* block, std::size_t bytes, std::size_t alignment) noexcept {
    const std::uint32_t first = first_granule(block);
    const granule_record& slab = record(first);
    if (slab.size_class == 0)
        return free_run(first);
    // A block that was lent counts as one of the class that it was lent to, while it is in a list.
    class_list& list =
        bytes == unknown_size ? classes[slab.size_class] : class_for(bytes, alignment);
    if (!push_or_pass_on(list, block)) {
        if (slab.owner == owner_)
            return free_owned(first, block);
        group_->lane_of(slab.owner)->hand_in(block);
    }
    if (!take_in(1))
        take_in_beyond_limit();
}

void lane::empty_lists(std::size_t except) noexcept {
    for (class_list& list : classes) {
        if (&list == &class_at(except))
            continue;
        empty_list(list);
        if (is_open(list))
            open(list); // with its own mark: it may have ended in another lane's
    }
}

void lane::empty_slabs() noexcept {
    while (void* const block = inbox_.take())
        free_anywhere(block);
    for (class_list& list : classes)
        give_back_current(list);
}

void* lane::lend(size_class_index index) noexcept {
    class_list& list = classes[index];
    if (list.free_listed + uncut_blocks(list) <= list.reserved)
        return nullptr;
    if (list.partial != none)
        return take_one(list);
    return list.current != none ? carve_out_of_line(list) : nullptr;
}

unsigned lane::give_back_tail_from(unsigned next, std::uint32_t wanted) noexcept {
    while (next != size_classes::count)
        if (give_back_tail(classes[next++], wanted))
            return next;
    return next;
}

void lane::end_reserve() noexcept {
    for (class_list& list : classes) {
        if (list.reserved == 0)
            continue;
        list.reserved = 0;
        for (std::uint32_t first = list.partial; first != none;) {
            const std::uint32_t next = record(first).next;
            if (record(first).carved == record(first).free && first != list.current)
                retire(list, first, true);
            first = next;
        }
    }
}

void lane::release_all() noexcept {
    inbox_.forget();
    release();
}

/// Whether a block that is in this lane's lists is of another lane's slabs, or upstream's.
bool pool_state::is_elsewhere(const void* block) const noexcept {
    return offset(block) >= capacity() || record(first_granule(block)).owner != owner_;
}

void pool_state::free_elsewhere(void* block) noexcept {
    if (offset(block) >= capacity())
        group_->hand_in_to_upstream(block);
    else
        group_->lane_of(record(first_granule(block)).owner)->hand_in(block);
}

void pool_state::give_back_of_group(std::uint32_t first) noexcept {
    const std::uint32_t length = record(first).length();
    held_ -= std::size_t{length} * size_classes::granule;
    record(first).set_owner(0);
    if (group_->keep_spare(first, length)) {
        static_cast<lane&>(*this).reported_held_ -= usual_slab_size;
        return;
    }
    ++arena_visits_;
    runs_.deallocate_granules(first);
}

void lane::report_held() noexcept {
    if (held_ == reported_held_ || group_ == nullptr)
        return;
    group_->note_held(held_ - reported_held_);
    reported_held_ = held_;
}

} // namespace resident::detail
