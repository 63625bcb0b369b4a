#include "pool/annotations.hpp"
#include "pool/pool_state.hpp"

#include <new>

namespace resident::detail {

bool pool_state::reserve(std::size_t bytes, std::size_t count, std::size_t alignment) noexcept {
    const size_class_index index =
        closed_ ? class_of_checked(bytes, alignment) : class_of(bytes, alignment);
    constexpr std::size_t most = ~std::uint32_t{0} / 4;
    if (!is_pooled(index) || count > most)
        return false;
    return reserve_blocks(classes[index], index, count);
}

/// New slabs are cut completely: only one slab, the current one, may have a part never used.
bool pool_state::reserve_blocks(class_list& list, size_class_index index,
                                std::size_t count) noexcept {
    if (count == 0)
        return true;
    const slab_geometry& geometry = slab_geometries[index];
    const std::uint32_t reserved_before = list.reserved;
    // Now, or running out of memory would do so, and put their slabs before the new ones.
    empty_list(list);
    list.reserved = ~std::uint32_t{0}; // nothing of the class is given back meanwhile
    while (free_blocks(list) < count) {
        ++arena_visits_;
        std::uint32_t first =
            runs_.allocate_slab(most_granules(geometry), geometry.frugal, geometry.least);
        if (first == none) // as a request does: what the pool itself keeps is there, too
            first = take_slab_when_exhausted(geometry);
        if (first == none) {
            list.reserved = reserved_before;
            give_back_empty_slabs(list);
            return false;
        }
        cut_completely(list, first, index);
    }
    list.reserved = reserved_before;
    const std::size_t in_use = list.carved - list.free_listed - depth(list);
    list.reserved = std::max(reserved_before, static_cast<std::uint32_t>(in_use + count));
    return true;
}

void pool_state::cut_completely(class_list& list, std::uint32_t first,
                                size_class_index index) noexcept {
    const slab_geometry& geometry = slab_geometries[index];
    granule_record& slab = record(first);
    own(first, index);
    const std::size_t bytes = slab.length() * size_classes::granule;
    slab.blocks = slab.carved = slab.free = static_cast<std::uint16_t>(bytes / geometry.block_size);
    free_block* next = &list.end_mark;
    for (std::uint32_t block = slab.blocks; block-- > 0;) { // so that the first one is first
        const std::size_t at = std::size_t{block} * geometry.block_size;
        const auto granule = static_cast<std::uint32_t>(at / size_classes::granule);
        record(first + granule).set_distance(static_cast<std::uint8_t>(granule));
        next =
            new (address(first) + at) free_block{next, room_above(list, slab.blocks - 1U - block)};
    }
    slab.head = 0;
    list.carved += slab.blocks;
    list.free_listed += slab.blocks;
    link_partial(list, first);
    if (closed_)
        hide_free_slab(first);
}

/// Undoes a reserve that failed: slabs without blocks in use are at the front of the partial ones.
void pool_state::give_back_empty_slabs(class_list& list) noexcept {
    while (list.partial != none && record(list.partial).carved == record(list.partial).free) {
        if (list.partial == list.current || !retire(list, list.partial, true))
            return; // an earlier reserve needs it
    }
}

} // namespace resident::detail
