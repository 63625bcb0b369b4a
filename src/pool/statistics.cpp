#include "pool/guarded_block.hpp"
#include "pool/pool_state.hpp"

#include <algorithm>
#include <cstddef>

namespace resident::detail {

/// Blocks cut or to be cut from the class's slabs that are not in use.
std::size_t pool_state::free_blocks(const class_list& list) const noexcept {
    return list.free_listed + depth(list) + uncut_blocks(list);
}

/// Returns: bytes of the largest request, of the usual alignment, that a block or run serves.
std::size_t pool_state::largest_request(std::size_t block_size) const noexcept {
    const std::size_t guards =
        options_.checks == check_level::full ? guarded_block::enlarged({0, 1}) : 0;
    if (block_size <= guards)
        return 0;
    // A size below the alignment is a request, too; a block of 24 or 40 bytes serves none above it.
    const std::size_t usual = alignof(std::max_align_t);
    return block_size % usual == 0 ? block_size - guards : 0;
}

pool_statistics pool_state::statistics() const noexcept {
    pool_statistics all;
    all.held = held_;
    all.peak_held = peak_held_;
    all.in_use = runs_in_use_;
    all.upstream = upstream_.in_use();
    all.failures = failures_;
    all.arena_visits = arena_visits_;
    for (unsigned index = 1; index < size_classes::count; ++index) {
        const class_list& list = classes[index];
        size_class_statistics& each = all.classes[index - 1];
        each.cached = depth(list);
        each.free = static_cast<std::uint32_t>(free_blocks(list));
        each.in_use = list.carved - list.free_listed - each.cached;
    }
    add_up(all);
    all.requested = closed_ ? requested_ : all.in_use;
    return all;
}

/// What follows from the counts of the classes.
void pool_state::add_up(pool_statistics& all) const noexcept {
    all.largest_block =
        largest_request(std::size_t{runs_.largest_free_run()} * size_classes::granule);
    for (unsigned index = 1; index < size_classes::count; ++index) {
        size_class_statistics& each = all.classes[index - 1];
        each.block_size = slab_geometries[index].block_size;
        all.in_use += std::size_t{each.in_use} * each.block_size;
        all.cached += std::size_t{each.free} * each.block_size;
        if (each.free != 0)
            all.largest_block = std::max(all.largest_block, largest_request(each.block_size));
    }
}

std::size_t pool_state::usable_size(const void* block) const noexcept {
    if (offset(block) >= capacity())
        return upstream_blocks::size(block);
    if (closed_) [[unlikely]]
        return usable_size_checked(block);
    const granule_record& run = record(first_granule(block));
    return run.size_class != 0 ? slab_geometries[run.size_class].block_size
                               : run.length() * size_classes::granule;
}

bool pool_state::owns(const void* address) const noexcept {
    return first_if_owned(address) != none;
}

} // namespace resident::detail
