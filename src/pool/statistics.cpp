#include "pool/guarded_block.hpp"
#include "pool/pool_state.hpp"

#include <algorithm>
#include <cstddef>

namespace resident::detail {

/// Blocks cut or to be cut from the class's slabs that are not in use.
std::size_t pool_state::free_blocks(const class_list& list) const noexcept {
    std::size_t free = list.free_listed + depth(list);
    if (list.current != none)
        free += std::size_t{record(list.current).blocks} - record(list.current).carved;
    return free;
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
    add_to(all);
    all.held = held_;
    all.peak_held = peak_held_;
    all.upstream = upstream_.in_use();
    all.failures = failures_;
    all.in_use = runs_in_use_;
    add_up(all);
    return all;
}

namespace {

/// Reads once what another thread may be writing.
template <typename T>
[[gnu::always_inline]] inline T snapshot(const T& value) noexcept {
    return *const_cast<const volatile T*>(&value);
}

} // namespace

/// Blocks in the list of a lane whose thread may be using it. The first block may be handed out and
/// written to while it is looked at: then the list has another first one afterwards, but for one
/// that is back so soon. So this may be wrong for a moment, within what a list can have.
/// Requires: no block goes back to upstream meanwhile.
__attribute__((no_sanitize("thread"))) std::uint32_t
pool_state::depth_in_passing(const class_list& list) const noexcept {
    for (int tried = 0; tried < 8; ++tried) {
        const free_block* const first = snapshot(list.head);
        const bool is_mark = snapshot(first->next) == nullptr;
        const std::uint32_t room = snapshot(first->room);
        if (snapshot(list.head) == first)
            return is_mark || room >= list.capacity ? 0 : list.capacity - room;
    }
    return 0;
}

/// Adds what can be added lane by lane: a block may be in the list of another lane than its slab's.
/// Stops nobody: reads counters that their thread may be changing.
__attribute__((no_sanitize("thread"))) void
pool_state::add_to(pool_statistics& all) const noexcept {
    all.arena_visits += snapshot(arena_visits_);
    for (unsigned index = 1; index < size_classes::count; ++index) {
        const class_list& list = classes[index];
        size_class_statistics& each = all.classes[index - 1];
        const std::uint32_t listed =
            group_ == nullptr ? depth(list) : depth_in_passing(list) + snapshot(list.surplus_count);
        const std::uint32_t free_listed = snapshot(list.free_listed);
        const std::uint32_t current = snapshot(list.current);
        std::uint32_t uncut = 0; // a slab that changes hands meanwhile has any count
        if (current != none) {
            const std::uint32_t carved = snapshot(record(current).carved);
            uncut = std::max<std::uint32_t>(snapshot(record(current).blocks), carved) - carved;
        }
        each.cached += listed;
        each.free += free_listed + listed + uncut;
        each.in_use += snapshot(list.carved) - free_listed - listed;
    }
}

/// What follows from the classes' sums.
void pool_state::add_up(pool_statistics& all) const noexcept {
    all.largest_block =
        largest_request(std::size_t{runs_.largest_free_run()} * size_classes::granule);
    auto in_use = static_cast<std::int64_t>(all.in_use);
    for (unsigned index = 1; index < size_classes::count; ++index) {
        size_class_statistics& each = all.classes[index - 1];
        each.block_size = slab_geometries[index].block_size;
        // Less than 0 where a block is counted in the list of one class, or lane, and not where it
        // is from: lent by another class, or under way while the lanes are looked at.
        const auto blocks = static_cast<std::int32_t>(each.in_use);
        in_use += std::int64_t{blocks} * each.block_size;
        each.in_use = static_cast<std::uint32_t>(std::max(blocks, 0));
        all.cached += std::size_t{each.free} * each.block_size;
        if (each.free != 0)
            all.largest_block = std::max(all.largest_block, largest_request(each.block_size));
    }
    all.in_use = static_cast<std::size_t>(std::max<std::int64_t>(in_use, 0));
    all.requested = closed_ ? requested_ : all.in_use;
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
