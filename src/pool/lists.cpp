#include "pool/pool_state.hpp"

#include <algorithm>
#include <new>

namespace resident::detail {

/// Makes every class one that has nothing.
void pool_state::begin_lists() noexcept {
    for (unsigned index = 0; index < size_classes::count; ++index) {
        class_list& list = classes()[index];
        list.partial = none;
        list.carved = list.free_listed = list.reserved = 0;
        list.sparse = list.borrowed = 0;
        close(list);
        if (slab_geometries[index].is_run && is_pooled(static_cast<size_class_index>(index)) &&
            !closed_)
            begin_caching(list, run_cache_limit);
    }
    classes()[0].active = caching; // so that runs are not taken for blocks of a slab
}

/// Requires: a partial slab, no active one, and an empty list.
void* pool_state::take_from_partial(class_list& list, const slab_geometry& geometry) noexcept {
    const std::uint32_t first = list.partial;
    granule_record& slab = record(first);
    if (may_cache(list, geometry)) {
        if (list.active != caching)
            begin_caching(list, cache_limit);
        return refill_cache(list);
    }
    unlink_partial(list, first);
    if (geometry.is_run)
        return take_from_slab(list, slab, first);
    if (is_sparse(slab, geometry))
        --list.sparse;
    activate(list, first);
    return closed_ ? take_from_slab(list, slab, first) : list.pop();
}

/// Takes the first block of a slab's own list; null if a closed pool finds that it was written to.
/// Requires: there is one.
void* pool_state::take_from_slab(class_list& list, granule_record& slab,
                                 std::uint32_t first) noexcept {
    if (closed_) [[unlikely]]
        return take_checked(list, slab, first);
    free_block* const taken = first_free(slab, first);
    --slab.free;
    --list.free_listed;
    if (slab.free != 0)
        slab.head = units_from(first, taken->next);
    return taken;
}

/// Moves cache_refill blocks of a partial slab to the list, but for the last, which is returned.
/// No slab is sparse, so none becomes less so.
void* pool_state::refill_cache(class_list& list) noexcept {
    const std::uint32_t first = list.partial;
    granule_record& slab = record(first);
    free_block* block = first_free(slab, first);
    const unsigned count = std::min<unsigned>(slab.free, cache_refill);
    std::uint32_t room = list.end_mark.room;
    for (unsigned moved = 1; moved < count; ++moved) {
        free_block* const next = block->next;
        list.head = new (block) free_block{list.head, --room};
        block = next;
    }
    list.free_listed -= count;
    slab.free = static_cast<std::uint16_t>(slab.free - count);
    if (slab.free == 0)
        unlink_partial(list, first);
    else
        slab.head = units_from(first, block->next);
    return block;
}

/// Makes room in a full cache and adds the block. A slab that has too few blocks in use left after
/// that ends the caching: the list takes no more, and what it holds goes to the next requests.
void pool_state::spill_cache(class_list& list, void* block) noexcept {
    for (std::uint32_t moved = 0; moved < cache_spill; ++moved) {
        free_block* const spilled = list.head;
        list.head = spilled->next;
        free_anywhere(spilled);
    }
    if (list.sparse == 0) [[likely]] {
        list.push(block);
        return;
    }
    list.active = none;
    list.span = 0;
    free_anywhere(block);
}

/// Gives every block of a list that is not an active slab's to its slab, or to the arena.
void pool_state::empty_list(class_list& list) noexcept {
    free_block* block = list.head;
    list.head = &list.end_mark;
    while (block != &list.end_mark) {
        free_block* const next = block->next;
        free_anywhere(block);
        block = next;
    }
}

void pool_state::activate(class_list& list, std::uint32_t first) noexcept {
    granule_record& slab = record(first);
    list.active = first;
    if (closed_)
        return; // its blocks stay in its own list
    open(list, address(first), std::size_t{slab.length()} * size_classes::granule);
    if (slab.free != 0) {
        list.head = first_free(slab, first);
        list.free_listed -= slab.free;
        slab.free = 0;
    }
}

/// Requires: none of the active slab's blocks is free, or left to be carved.
void pool_state::deactivate(class_list& list, const slab_geometry& geometry) noexcept {
    if (is_sparse(record(list.active), geometry))
        ++list.sparse;
    close(list);
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

/// Requires: an empty list.
void pool_state::begin_caching(class_list& list, std::uint32_t limit) noexcept {
    list.active = caching;
    list.begin = reinterpret_cast<std::uintptr_t>(base_);
    list.span = capacity();
    list.head = &list.end_mark;
    list.end_mark.room = limit;
}

/// Requires: an empty list.
void pool_state::close(class_list& list) noexcept {
    list.active = none;
    list.span = 0;
    list.head = &list.end_mark;
    list.end_mark.room = 0;
}

} // namespace resident::detail
