#include "pool/pool_state.hpp"

#include "pool/annotations.hpp"

namespace resident::detail {

pool_state::pool_state(const pool_options& options, arena& source, std::uint16_t owner,
                       std::pmr::memory_resource* upstream,
                       unsynchronized_pool_resource* handle_of_this, lane_group* group) noexcept
    : pool_front{}, base_(arena_access::runs(source).begin()),
      records_(arena_access::runs(source).records()),
      closed_(options.checks != check_level::off || blocks_are_watched()),
      is_plain_(!closed_ && group == nullptr), owner_(owner), runs_(arena_access::runs(source)),
      source_(source), group_(group), options_(options), upstream_(upstream) {
    handle = handle_of_this;
    longest_slab_ = longest_slab(runs_.capacity());
    open_bytes_ = closed_ ? 0 : capacity();
    std::size_t& largest = options_.largest_required_pool_block;
    if (largest == 0 || largest > size_classes::largest)
        largest = size_classes::largest;
    largest = size_classes::block_size(size_classes::of(largest));
    for (std::size_t units = 0; units < class_offsets.size(); ++units)
        class_offsets[units] = class_offset(units * size_classes::unit);
    for (std::size_t units = 0; units < large_class_offsets.size(); ++units)
        large_class_offsets[units] = class_offset(units * size_classes::large_unit);
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
    runs.records()[first].set_owner(0);
    runs.deallocate_granules(first);
}

/// Makes every class one that has nothing.
void pool_state::begin_lists() noexcept {
    for (class_list& list : classes) {
        list = {};
        list.partial = list.current = none;
        list.capacity = list.end_mark.room = list_capacity(index_of(list));
        open(list);
    }
}

void pool_state::release() noexcept {
    upstream_.release();
    if (closed_) { // nothing that is given back is in use any more
        annotate_pool_ended(this);
        annotate_pool_begun(this);
    }
    const std::uint32_t own_run = first_granule_at(this);
    std::uint32_t kept = none;
    // Giving a run back may merge it with what follows: go on from the last one kept.
    for (;;) {
        const std::uint32_t first = runs_.next_owned(owner_, kept);
        if (first == none)
            break;
        if (first == own_run)
            kept = first;
        else
            give_back(first);
    }
    begin_lists();
    runs_in_use_ = 0;
    requested_ = 0;
}

} // namespace resident::detail
