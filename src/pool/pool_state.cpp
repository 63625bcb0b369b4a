#include "pool/pool_state.hpp"

#include "pool/annotations.hpp"
#include "resident/unsynchronized_pool_resource.hpp"

#include <algorithm>
#include <new>

namespace resident::detail {

pool_state::pool_state(const pool_options& options, arena& source, std::uint16_t owner,
                       std::pmr::memory_resource* upstream) noexcept
    : front_{}, base_(arena_access::runs(source).begin()),
      records_(arena_access::runs(source).records()),
      closed_(options.checks != check_level::off || blocks_are_watched()), owner_(owner),
      runs_(arena_access::runs(source)), source_(source), options_(options), upstream_(upstream) {
    open_bytes_ = closed_ ? 0 : capacity();
    std::size_t& largest = options_.largest_required_pool_block;
    if (largest == 0 || largest > size_classes::largest)
        largest = size_classes::largest;
    largest = size_classes::block_size(size_classes::of(largest));
    for (std::size_t unit = 0; unit < size_classes::table_size; ++unit)
        front_.class_of_units[unit] = size_classes::of(unit * size_classes::unit);
    begin_lists();
    own(first_granule_at(this), 0);
    if (closed_)
        annotate_pool_begun(this);
}

void pool_state::destroy(pool_state* doomed) noexcept {
    if (doomed->closed_)
        doomed->report_leaks();
    doomed->release();
    if (doomed->closed_)
        annotate_pool_ended(doomed);
    run_source& runs = doomed->runs_;
    const std::uint32_t first = doomed->first_granule_at(doomed);
    doomed->~pool_state();
    runs.records()[first].owner = 0;
    runs.deallocate_granules(first);
}

/// Null if the arena has no room. Requires: an empty list.
inline void* pool_state::allocate(class_list& list, std::size_t bytes,
                                  std::size_t alignment) noexcept {
    if (has_active(list) && list.partial == none && !closed_) [[likely]] {
        granule_record& slab = record(list.active);
        if (slab.carved != slab.blocks) [[likely]]
            return carve(list, slab, geometry_of(list));
    }
    return allocate_slowly(list, bytes, alignment);
}

void* pool_state::allocate_slowly(class_list& list, std::size_t bytes,
                                  std::size_t alignment) noexcept {
    if (closed_) [[unlikely]]
        return allocate_checked(bytes, alignment);
    const size_class_index index = index_of(list);
    if (!is_pooled(index)) [[unlikely]]
        return allocate_run(bytes, alignment);
    const slab_geometry& geometry = slab_geometries[index];
    if (has_active(list)) {
        // Blocks were freed elsewhere meanwhile: use those, rather than memory never used so far.
        granule_record& slab = record(list.active);
        if (may_cache(list, geometry) && !is_sparse(slab, geometry))
            give_back_tail(list, geometry);
        if (slab.carved != slab.blocks)
            return carve_one(list, slab, geometry);
        deactivate(list, geometry);
    }
    if (list.partial != none)
        return take_from_partial(list, geometry);
    return allocate_from_arena(list, index, alignment);
}

/// Cuts blocks from the part of the active slab that was never used so far: one to return, and some
/// for the list, which is empty.
inline void* pool_state::carve(class_list& list, granule_record& slab,
                               const slab_geometry& geometry) noexcept {
    const std::uint32_t first = list.active;
    const std::size_t size = geometry.block_size;
    const std::uint32_t left = std::uint32_t{slab.blocks} - slab.carved;
    const std::uint32_t count = left < geometry.carved_at_once ? left : geometry.carved_at_once;
    const std::size_t at = std::size_t{first} * size_classes::granule + slab.carved * size;
    slab.carved = static_cast<std::uint16_t>(slab.carved + count);
    list.carved += count;
    note_distance(at, first);
    std::byte* const block = base_ + at;
    if (count == 1)
        return block;
    note_distance(at + (count - 1) * size, first); // together they span no more than a granule
    free_block* head = list.head;
    std::uint32_t room = head->room;
    std::byte* other = block + count * size;
    do {
        other -= size;
        head = new (other) free_block{head, --room};
    } while (other != block + size);
    list.head = head;
    return block;
}

void* pool_state::carve_one(class_list& list, granule_record& slab,
                            const slab_geometry& geometry) noexcept {
    const std::size_t at = std::size_t{list.active} * size_classes::granule +
                           std::size_t{slab.carved} * geometry.block_size;
    ++slab.carved;
    ++list.carved;
    note_distance(at, list.active);
    return base_ + at;
}

/// Makes the run a slab of the class, the active one, and returns its first block.
/// Requires: an empty list.
inline void* pool_state::begin_slab(class_list& list, std::uint32_t first,
                                    size_class_index index) noexcept {
    const slab_geometry& geometry = slab_geometries[index];
    granule_record& slab = record(first);
    std::byte* const begin = address(first);
    own(first, index);
    slab.free = 0;
    slab.carved = 1;
    ++list.carved;
    if (geometry.is_run) {
        slab.blocks = 1;
        return begin; // a slab of one block, never active
    }
    const std::uint32_t bytes = slab.length() * std::uint32_t{size_classes::granule};
    slab.blocks = static_cast<std::uint16_t>(bytes / geometry.block_size);
    list.active = first;
    if (!closed_) [[likely]]
        open(list, begin, bytes);
    return begin;
}

void* pool_state::allocate_from_arena(class_list& list, size_class_index index,
                                      std::size_t alignment) noexcept {
    const slab_geometry& geometry = slab_geometries[index];
    ++arena_visits_;
    const std::uint32_t first =
        runs_.allocate_slab(most_granules(geometry), geometry.frugal, geometry.least);
    if (first == none) [[unlikely]]
        return allocate_when_exhausted(list, index, alignment);
    return begin_slab(list, first, index);
}

void* pool_state::begin_slab_out_of_line(class_list& list, std::uint32_t first,
                                         size_class_index index) noexcept {
    return begin_slab(list, first, index);
}

void* pool_state::allocate_run(std::size_t bytes, std::size_t alignment) noexcept {
    ++arena_visits_;
    void* run = runs_.allocate(bytes, alignment);
    if (run == nullptr) {
        give_back_everything();
        ++arena_visits_;
        run = runs_.allocate(bytes, alignment);
        if (run == nullptr)
            return nullptr;
    }
    const auto first = static_cast<std::uint32_t>(offset(run) / size_classes::granule);
    own(first, 0);
    runs_in_use_ += record(first).length() * size_classes::granule;
    return run;
}

/// Requires: the list did not take the block.
inline void pool_state::deallocate(class_list& list, void* block, std::size_t bytes,
                                   std::size_t alignment) noexcept {
    if (offset(block) < open_bytes_) [[likely]] {
        const std::uint32_t first = first_granule(block);
        granule_record& slab = record(first);
        if (&list == &classes()[slab.size_class] && list.active != caching) [[likely]]
            return free_in_slab(list, slab, first, block);
    }
    deallocate_rarely(list, block, bytes, alignment);
}

void pool_state::deallocate_rarely(class_list& list, void* block, std::size_t bytes,
                                   std::size_t alignment) noexcept {
    if (closed_) [[unlikely]]
        return deallocate_checked(block, bytes, alignment);
    open_bytes_ = capacity(); // the arena may have grown
    if (offset(block) >= open_bytes_) [[unlikely]]
        return upstream_.deallocate(block);
    const size_class_index index = record(first_granule(block)).size_class;
    if (index == 0)
        return free_anywhere(block);
    if (index != index_of(list))
        note_return(list); // from a larger class
    free_in_class(classes()[index], block);
}

/// A class that caches gets the block by way of its list, which knows when to end the caching.
void pool_state::free_in_class(class_list& list, void* block) noexcept {
    if (list.active == caching) {
        list.span = open_bytes_;
        if (list.push(block))
            return;
        if (!geometry_of(list).is_run)
            return spill_cache(list, block);
    }
    free_anywhere(block);
}

void pool_state::deallocate(void* block) noexcept {
    if (closed_) [[unlikely]]
        return deallocate_checked(block, unknown_size, 1);
    open_bytes_ = capacity();
    if (offset(block) >= open_bytes_) [[unlikely]]
        return upstream_.deallocate(block);
    const size_class_index index = record(first_granule(block)).size_class;
    if (index == 0)
        free_anywhere(block);
    else
        free_in_class(classes()[index], block);
}

/// Frees a block that its class's list does not take, or should not.
void pool_state::free_anywhere(void* block) noexcept {
    const std::uint32_t first = first_granule(block);
    granule_record& slab = record(first);
    class_list& list = classes()[slab.size_class];
    if (slab.size_class == 0) {
        runs_in_use_ -= std::size_t{slab.length()} * size_classes::granule;
        give_back(first);
    } else if (first == list.active && !closed_) {
        list.push(block);
    } else {
        free_in_slab(list, slab, first, block);
    }
}

inline void pool_state::free_in_slab(class_list& list, granule_record& slab, std::uint32_t first,
                                     void* freed) noexcept {
    const std::uint32_t before = slab.free;
    free_block* const next = before == 0 ? &list.end_mark : first_free(slab, first);
    new (freed) free_block{next, slab_room - 1 - before};
    slab.head = units_from(first, freed);
    slab.free = static_cast<std::uint16_t>(before + 1);
    ++list.free_listed;
    const std::uint32_t in_use = slab.carved - before - 1;
    if (before == 0 || in_use <= cache_limit) [[unlikely]]
        note_state(list, first, before, in_use);
}

/// What a block freed in its slab changes beside the slab's own list.
void pool_state::note_state(class_list& list, std::uint32_t first, std::uint32_t free_before,
                            std::uint32_t in_use) noexcept {
    if (first == list.active)
        return; // of a closed class: any other active slab has the blocks in its list
    const slab_geometry& geometry = geometry_of(list);
    if (in_use == 0)
        return retire(list, geometry, first, free_before != 0);
    if (free_before == 0)
        link_partial(list, first);
    if (in_use == cache_limit && geometry.block_size <= largest_cached)
        ++list.sparse;
}

/// A slab without blocks in use goes back to the arena, unless the reserve needs it.
void pool_state::retire(class_list& list, const slab_geometry& geometry, std::uint32_t first,
                        bool linked) noexcept {
    const granule_record& slab = record(first);
    if (list.carved - slab.carved < list.reserved) [[unlikely]] {
        if (!linked)
            link_partial(list, first);
        return;
    }
    if (linked)
        unlink_partial(list, first);
    if (geometry.block_size <= largest_cached)
        --list.sparse;
    list.carved -= slab.carved;
    list.free_listed -= slab.free;
    give_back(first);
}

void pool_state::give_back(std::uint32_t first) noexcept {
    if (closed_) [[unlikely]]
        inspect_before_giving_back(first);
    held_ -= std::size_t{record(first).length()} * size_classes::granule;
    ++arena_visits_;
    record(first).owner = 0;
    runs_.deallocate_granules(first);
}

} // namespace resident::detail

namespace resident {

void* unsynchronized_pool_resource::try_allocate_out_of_line(detail::class_list& list,
                                                             std::size_t bytes,
                                                             std::size_t alignment) noexcept {
    if (void* const block = state_->allocate(list, bytes, alignment)) [[likely]]
        return block;
    return state_->try_allocate_upstream(bytes, alignment);
}

void* unsynchronized_pool_resource::allocate_out_of_line(detail::class_list& list,
                                                         std::size_t bytes, std::size_t alignment) {
    if (void* const block = state_->allocate(list, bytes, alignment)) [[likely]]
        return block;
    return state_->allocate_upstream(bytes, alignment);
}

void unsynchronized_pool_resource::deallocate_out_of_line(detail::class_list& list, void* block,
                                                          std::size_t bytes,
                                                          std::size_t alignment) noexcept {
    state_->deallocate(list, block, bytes, alignment);
}

} // namespace resident
