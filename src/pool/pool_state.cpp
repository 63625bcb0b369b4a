#include "pool/pool_state.hpp"

#include "pool/annotations.hpp"

#include <algorithm>
#include <new>

namespace resident::detail {

pool_state::pool_state(const pool_options& options, arena& source,
                       std::pmr::memory_resource* upstream) noexcept
    : front_{}, base_(arena_access::runs(source).begin()),
      records_(arena_access::runs(source).records()),
      closed_(options.checks != check_level::off || blocks_are_watched()),
      owner_(arena_access::runs(source).new_owner()), runs_(arena_access::runs(source)),
      source_(source), options_(options), upstream_(upstream) {
    std::size_t& largest = options_.largest_required_pool_block;
    if (largest == 0 || largest > size_classes::largest)
        largest = size_classes::largest;
    largest = size_classes::block_size(size_classes::of(largest));
    for (std::size_t unit = 0; unit < size_classes::table_size; ++unit)
        front_.class_of_units[unit] = size_classes::of(unit * size_classes::unit);
    for (unsigned index = 0; index < size_classes::count; ++index) {
        class_list& list = front_.classes[index];
        list.active = list.partial = none;
        close(list);
        if (slab_geometries[index].is_run && slab_geometries[index].block_size <= largest &&
            !closed_)
            begin_caching(list, run_cache_limit);
    }
    own(first_granule_at(this), 0);
}

void pool_state::destroy(pool_state* doomed) noexcept {
    doomed->release();
    run_source& runs = doomed->runs_;
    const std::uint32_t first = doomed->first_granule_at(doomed);
    doomed->~pool_state();
    runs.records()[first].owner = 0;
    runs.deallocate_granules(first);
}

void* pool_state::allocate(std::size_t bytes, std::size_t alignment) {
    void* block = nullptr;
    if (closed_) [[unlikely]] {
        block = allocate_checked(bytes, alignment);
    } else {
        const size_class_index index = class_of(bytes, alignment);
        block =
            is_pooled(index) ? allocate_block(index, alignment) : allocate_run(bytes, alignment);
    }
    return block != nullptr ? block : allocate_upstream(bytes, alignment);
}

/// Requires: an empty list.
void* pool_state::allocate_block(size_class_index index, std::size_t alignment) noexcept {
    class_list& list = front_.classes[index];
    const slab_geometry& geometry = slab_geometries[index];
    if (list.active != none) {
        granule_record& slab = record(list.active);
        if (slab.carved != slab.blocks)
            return carve(list, slab, geometry);
        deactivate(list, geometry);
    }
    if (list.partial != none)
        return take_from_partial(list, geometry);
    return allocate_from_arena(list, index, alignment);
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

void* pool_state::begin_slab(class_list& list, std::uint32_t first,
                             size_class_index index) noexcept {
    const slab_geometry& geometry = slab_geometries[index];
    granule_record& slab = record(first);
    own(first, index);
    slab.free = 0;
    if (geometry.is_run) {
        slab.blocks = slab.carved = 1;
        ++list.carved;
        return address(first); // a slab of one block, never active
    }
    slab.carved = 0;
    slab.blocks =
        static_cast<std::uint16_t>(slab.length() * size_classes::granule / geometry.block_size);
    activate(list, first);
    return carve(list, slab, geometry);
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

void pool_state::deallocate(void* block, std::size_t bytes, std::size_t alignment) noexcept {
    if (closed_) [[unlikely]]
        return deallocate_checked(block, bytes, alignment);
    if (offset(block) >= capacity()) [[unlikely]]
        return upstream_.deallocate(block);
    const std::uint32_t first = first_granule(block);
    const size_class_index index = record(first).size_class;
    if (bytes != unknown_size && index != 0) {
        class_list& asked = front_.class_for(bytes, alignment);
        if (&asked != &front_.classes[index]) [[unlikely]] {
            --asked.borrowed;
        } else if (is_caching(asked)) {
            asked.span = capacity(); // the arena may have grown
            if (asked.push(block))
                return;
            if (!slab_geometries[index].is_run)
                return spill_cache(asked, block);
        }
    }
    free_in_class(front_.classes[index], slab_geometries[index], first, block);
}

void pool_state::free_out_of_line(void* block) noexcept {
    const std::uint32_t first = first_granule(block);
    const size_class_index index = record(first).size_class;
    free_in_class(front_.classes[index], slab_geometries[index], first, block);
}

void pool_state::free_in_class(class_list& list, const slab_geometry& geometry, std::uint32_t first,
                               void* block) noexcept {
    if (first == list.active && !closed_) {
        list.push(block);
    } else if (geometry.block_size == 0) {
        runs_in_use_ -= record(first).length() * size_classes::granule;
        give_back(first);
    } else {
        free_in_slab(list, geometry, first, block);
    }
}

void pool_state::free_in_slab(class_list& list, const slab_geometry& geometry, std::uint32_t first,
                              void* freed) noexcept {
    granule_record& slab = record(first);
    const unsigned before = slab.free;
    free_block* const next = before == 0 ? &list.end_mark : first_free(slab, first);
    const std::uint32_t room = before == 0 ? slab.blocks : next->room;
    new (freed) free_block{next, room - 1};
    slab.head = units_from(first, freed);
    slab.free = static_cast<std::uint16_t>(before + 1);
    ++list.free_listed;
    if (first == list.active)
        return; // of a closed class: another slab's active one is in use
    const unsigned in_use = slab.carved - before - 1;
    if (in_use == 0) [[unlikely]]
        return retire(list, geometry, first, before != 0);
    if (before == 0)
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

/// Writes down whose the run is, and of which class.
void pool_state::own(std::uint32_t first, size_class_index index) noexcept {
    granule_record& run = record(first);
    run.owner = owner_;
    run.size_class = index;
    run.distance = 0;
    held_ += std::size_t{run.length()} * size_classes::granule;
    peak_held_ = std::max(peak_held_, held_);
}

void pool_state::give_back(std::uint32_t first) noexcept {
    held_ -= std::size_t{record(first).length()} * size_classes::granule;
    ++arena_visits_;
    record(first).owner = 0;
    runs_.deallocate_granules(first);
}

} // namespace resident::detail
