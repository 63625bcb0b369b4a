#include "os/headroom.hpp"
#include "pool/annotations.hpp"
#include "pool/pool_state.hpp"

#include <algorithm>
#include <new>

namespace resident::detail {

void raise_bad_alloc(const arena& exhausted, std::size_t bytes) {
#if defined(__cpp_exceptions)
    (void)exhausted;
    (void)bytes;
    throw std::bad_alloc();
#else
    os::raise(os::make_argument_error(exhausted.name(),
                                      "a pool has no room for %zu bytes: the longest free run of "
                                      "the arena is %zu bytes",
                                      bytes, exhausted.statistics().largest_free_run));
#endif
}

void* pool_state::allocate_when_exhausted(class_list& list, size_class_index index,
                                          std::size_t alignment) noexcept {
    give_back_everything();
    const slab_geometry& geometry = slab_geometries[index];
    ++arena_visits_;
    const std::uint32_t first =
        runs_.allocate_slab(geometry.frugal, geometry.frugal, geometry.least);
    return first != none ? begin_slab_out_of_line(list, first, index)
                         : borrow_block(index, alignment);
}

/// What the pool has that no block in use needs: runs held back, blocks that were cached until a
/// slab had too few in use, an active slab without blocks in use, and the part of an active slab
/// that was never used so far. Nothing else is hidden: see pool_state, caching.
void pool_state::give_back_everything() noexcept {
    for (unsigned index = 1; index < size_classes::count; ++index) {
        class_list& list = classes()[index];
        if (has_active(list))
            give_back_unused(list, slab_geometries[index]);
        else if (!is_caching(list) || (slab_geometries[index].is_run && list.reserved == 0))
            empty_list(list);
    }
}

void pool_state::give_back_unused(class_list& list, const slab_geometry& geometry) noexcept {
    const std::uint32_t first = list.active;
    granule_record& slab = record(first);
    if (list.reserved == 0 && slab.carved == (closed_ ? slab.free : depth(list))) {
        list.carved -= slab.carved;
        list.free_listed -= slab.free;
        close(list);
        return give_back(first);
    }
    give_back_tail(list, geometry);
}

/// Gives the granules of the active slab back in which no block has begun so far.
void pool_state::give_back_tail(class_list& list, const slab_geometry& geometry) noexcept {
    const std::uint32_t first = list.active;
    granule_record& slab = record(first);
    const std::size_t used = std::size_t{slab.carved} * geometry.block_size;
    const auto length =
        static_cast<std::uint32_t>((used + size_classes::granule - 1) / size_classes::granule);
    const std::uint32_t freed = slab.length() - length;
    if (freed == 0 || list.reserved != 0)
        return;
    held_ -= std::size_t{freed} * size_classes::granule;
    ++arena_visits_;
    if (closed_)
        annotate_given_back(address(first + length), freed * size_classes::granule);
    runs_.shrink(first, length);
    slab.blocks = static_cast<std::uint16_t>(length * size_classes::granule / geometry.block_size);
    if (!closed_)
        list.span = std::size_t{length} * size_classes::granule;
}

/// From the next larger class that has a block: part of it is wasted, but the request is served.
/// The block must be as aligned as those of the request's class: a run may come to be held back
/// there.
void* pool_state::borrow_block(size_class_index index, std::size_t alignment) noexcept {
    const std::size_t needed =
        slab_geometries[index].is_run ? size_classes::granule : std::max<std::size_t>(alignment, 1);
    for (unsigned larger = index + 1U; larger < size_classes::count; ++larger) {
        if (classes()[larger].reserved != 0 || slab_geometries[larger].block_size % needed != 0)
            continue;
        void* const block = take_free(classes()[larger], slab_geometries[larger]);
        if (block == nullptr)
            continue;
        class_list& borrower = classes()[index];
        if (!has_active(borrower) && !slab_geometries[index].is_run)
            close(borrower); // it must not cache from now on
        note_loan(borrower);
        return block;
    }
    return nullptr;
}

/// Returns: a free block of the class, or null; does not visit the arena.
void* pool_state::take_free(class_list& list, const slab_geometry& geometry) noexcept {
    if (void* const block = list.pop())
        return block;
    if (has_active(list)) {
        granule_record& slab = record(list.active);
        if (slab.free != 0)
            return take_from_slab(list, slab, list.active);
        if (slab.carved != slab.blocks)
            return carve_one(list, slab, geometry);
        deactivate(list, geometry);
    }
    return list.partial != none ? take_from_partial(list, geometry) : nullptr;
}

void* pool_state::allocate_upstream(std::size_t bytes, std::size_t alignment) {
    void* block = nullptr;
#if defined(__cpp_exceptions)
    try {
        block = upstream_.allocate(bytes, alignment);
    } catch (...) {
        note_failure(bytes, alignment);
        throw;
    }
#else
    block = upstream_.allocate(bytes, alignment);
#endif
    if (block == nullptr) {
        note_failure(bytes, alignment);
        raise_bad_alloc(source_, bytes);
    }
    return block;
}

void* pool_state::try_allocate_upstream(std::size_t bytes, std::size_t alignment) noexcept {
    void* block = nullptr;
#if defined(__cpp_exceptions)
    try {
        block = upstream_.allocate(bytes, alignment);
    } catch (...) { // NOLINT: whatever it is, the request is refused
    }
#else
    block = upstream_.allocate(bytes, alignment);
#endif
    if (block == nullptr)
        note_failure(bytes, alignment);
    return block;
}

void pool_state::note_failure(std::size_t bytes, std::size_t alignment) noexcept {
    ++failures_;
    if (options_.on_failure.notify != nullptr)
        options_.on_failure.notify(options_.on_failure.context, bytes, alignment, statistics());
}

} // namespace resident::detail
