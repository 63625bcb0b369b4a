#include "pool/pool_state.hpp"

#include <new>

namespace resident::detail {

/// Requires: the list, which is the request's, did not take the block.
inline void pool_state::deallocate_slowly(class_list& list, void* block, std::size_t bytes,
                                          std::size_t alignment) noexcept {
    if (offset(block) < open_bytes_) [[likely]] {
        const std::uint32_t first = first_granule(block);
        granule_record& slab = record(first);
        if (slab.owner == owner_ && slab.size_class != 0 && &list == &classes[slab.size_class])
            [[likely]] {
            // In most cases the slab's list is all that changes; here, so that nothing is called.
            if (changes_more(list, slab)) [[unlikely]]
                return free_beyond_limit(list, first, block);
            add_to_slab(list, slab, first, block);
            return;
        }
    }
    deallocate_rarely(list, block, bytes, alignment);
}

/// Whether a block freed in its slab, as the list is full, changes more than the slab's list.
inline bool pool_state::changes_more(const class_list& list, const granule_record& slab) noexcept {
    return slab.free == 0 || slab.free + 1U == slab.carved || has_too_many(list);
}

/// Whether a full list, or what was one, has more blocks than are in use.
inline bool pool_state::has_too_many(const class_list& list) noexcept {
    return list.carved - list.free_listed <= 2 * list.capacity;
}

inline void pool_state::add_to_slab(class_list& list, granule_record& slab, std::uint32_t first,
                                    void* block) noexcept {
    const std::uint32_t before = slab.free;
    free_block* const next = before == 0 ? &list.end_mark : first_free(slab, first);
    new (block) free_block{next, room_above(list, before)};
    slab.head = units_from(first, block);
    slab.free = static_cast<std::uint16_t>(before + 1);
    ++list.free_listed;
}

/// Frees a block of the class whose list has no room.
void pool_state::free_beyond_limit(class_list& list, std::uint32_t first, void* block) noexcept {
    free_in_slab(list, first, block);
    if (has_too_many(list))
        reduce_surplus(list);
}

/// While the list has more blocks than the program, each free takes one of them along.
void pool_state::reduce_surplus(class_list& list) noexcept {
    if (list.surplus_count == 0) {
        if (list.head->next != nullptr)
            begin_surplus(list);
        return;
    }
    free_block* const reduced = list.surplus;
    list.surplus = reduced->next;
    if (--list.surplus_count == 0)
        open(list);
    free_anywhere(reduced);
}

/// Requires: a full list.
void pool_state::begin_surplus(class_list& list) noexcept {
    list.surplus = list.head;
    list.surplus_count = list.capacity;
    close(list);
}

inline void pool_state::free_in_slab(class_list& list, std::uint32_t first, void* block) noexcept {
    granule_record& slab = record(first);
    const bool was_linked = slab.free != 0;
    add_to_slab(list, slab, first, block);
    if (slab.free == slab.carved && first != list.current)
        retire(list, first, was_linked);
    else if (!was_linked)
        link_partial(list, first);
}

/// A slab without blocks in use goes back to the arena, unless the reserve needs it.
bool pool_state::retire(class_list& list, std::uint32_t first, bool linked) noexcept {
    const granule_record& slab = record(first);
    if (list.carved - slab.carved < list.reserved) [[unlikely]] {
        if (!linked)
            link_partial(list, first);
        return false;
    }
    if (linked)
        unlink_partial(list, first);
    list.carved -= slab.carved;
    list.free_listed -= slab.free;
    give_back(first);
    return true;
}

void pool_state::give_back(std::uint32_t first) noexcept {
    if (!is_plain_) [[unlikely]] {
        if (group_ != nullptr)
            return give_back_of_group(first);
        inspect_before_giving_back(first);
    }
    held_ -= std::size_t{record(first).length()} * size_classes::granule;
    ++arena_visits_;
    record(first).set_owner(0);
    runs_.deallocate_granules(first);
}

void pool_state::deallocate_rarely(class_list& list, void* block, std::size_t bytes,
                                   std::size_t alignment) noexcept {
    if (closed_) [[unlikely]]
        return deallocate_checked(block, bytes, alignment);
    open_bytes_ = capacity(); // the arena may have grown
    const std::uint32_t first = first_if_owned(block);
    if (first == none) [[unlikely]] {
        note_return(list);
        return upstream_.deallocate(block);
    }
    const size_class_index index = record(first).size_class;
    if (index != 0 && index != index_of(list))
        note_return(list); // from a larger class
    free_owned(first, block);
}

void pool_state::deallocate_unsized(void* block) noexcept {
    if (closed_) [[unlikely]]
        return deallocate_checked(block, unknown_size, 1);
    const std::uint32_t first = first_if_owned(block);
    if (first == none) [[unlikely]]
        return upstream_.deallocate(block);
    free_owned(first, block);
}

/// Frees a run, or a block by way of its class's list.
void pool_state::free_owned(std::uint32_t first, void* block) noexcept {
    const size_class_index index = record(first).size_class;
    if (index == 0)
        return free_run(first);
    if (!classes[index].push(block))
        free_beyond_limit(classes[index], first, block);
}

/// Frees a run, or a block in its slab, past the list.
void pool_state::free_anywhere(void* block) noexcept {
    if (group_ != nullptr && is_elsewhere(block)) [[unlikely]]
        return free_elsewhere(block);
    const std::uint32_t first = first_granule(block);
    const size_class_index index = record(first).size_class;
    if (index == 0)
        free_run(first);
    else
        free_in_slab(classes[index], first, block);
}

void pool_state::free_run(std::uint32_t first) noexcept {
    runs_in_use_ -= std::size_t{record(first).length()} * size_classes::granule;
    give_back(first);
}

/// Gives every block of the list, or of its surplus, to its slab. At most one of them has any.
void pool_state::empty_list(class_list& list) noexcept {
    free_block* block = list.surplus_count != 0 ? list.surplus : list.head;
    if (block->next == nullptr)
        return;
    list.surplus_count = 0;
    open(list);
    if (group_ != nullptr)
        return free_all_anywhere(block);
    while (free_block* const next = block->next) { // all are of this class, and this pool's
        free_in_slab(list, first_granule(block), block);
        block = next;
    }
}

/// To the end mark.
void pool_state::free_all_anywhere(free_block* block) noexcept {
    while (free_block* const next = block->next) {
        free_anywhere(block);
        block = next;
    }
}

void pool_state::link_partial(class_list& list, std::uint32_t first) noexcept {
    granule_record& slab = record(first);
    slab.next = list.partial;
    slab.previous = none;
    if (list.partial != none)
        record(list.partial).previous = first;
    list.partial = first;
}

void pool_state::unlink_partial(class_list& list, std::uint32_t first) noexcept {
    const granule_record& slab = record(first);
    if (slab.previous != none)
        record(slab.previous).next = slab.next;
    else
        list.partial = slab.next;
    if (slab.next != none)
        record(slab.next).previous = slab.previous;
}

void pool_front::deallocate_out_of_line(class_list& list, void* block, std::size_t bytes,
                                        std::size_t alignment) noexcept {
    static_cast<pool_state&>(*this).deallocate_slowly(list, block, bytes, alignment);
}

} // namespace resident::detail
