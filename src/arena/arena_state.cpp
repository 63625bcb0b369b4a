#include "arena/arena_state.hpp"

#include "os/headroom.hpp"

#include <algorithm>
#include <tuple>

namespace resident::detail {

run_source& arena_access::runs(arena& of) noexcept { return of.state_->runs(); }

std::size_t arena_state::free_bytes() const noexcept {
    const run_counts counts = runs_.counts();
    return std::size_t{counts.capacity - counts.in_use} * granule_size;
}

page_kind arena_state::pages() const noexcept {
    return pages_ == page_kind::automatic ? page_kind::base : pages_; // zeros, in a forked child
}

arena_statistics arena_state::statistics() const noexcept {
    const run_counts counts = runs_.counts();
    const std::size_t capacity = counts.capacity * granule_size;
    const std::size_t bookkeeping =
        begin() == nullptr ? 0 : bookkeeping_for(capacity, max_capacity_);
    const bool charged = reserved_huge_page_size(pages_) == 0;
    return {.capacity = capacity,
            .max_capacity = max_capacity_,
            .resident = capacity + bookkeeping,
            .locked = locked_ ? bookkeeping + (charged ? capacity : 0) : 0,
            .bookkeeping = bookkeeping,
            .in_use = counts.in_use * granule_size,
            .peak_in_use = counts.peak_in_use * granule_size,
            .largest_free_run = counts.largest_free_run * granule_size,
            .runs_in_use = counts.runs_in_use,
            .failures = counts.failures,
            .growth_failures = growth_failures_.load(std::memory_order_relaxed)};
}

result<arena_proof> arena_state::verify() const noexcept {
    if (begin() == nullptr)
        return arena_proof{}; // in a forked child
    const std::lock_guard growing(growth_mutex_);
    const std::size_t bytes = capacity();
    arena_proof data;
    arena_proof bookkeeping;
    for (const auto& [begin, size, proof] :
         {std::tuple{begin(), bytes, &data},
          std::tuple{bookkeeping_.range.begin(), bookkeeping_for(bytes, max_capacity_),
                     &bookkeeping}}) {
        const os::outcome read = prove_resident(begin, size, locked_, *proof);
        if (!read)
            return os::make_error(operation::read_system_file, read.error_number(), size, name());
    }
    return data + bookkeeping;
}

result<std::size_t> arena_state::grow(std::size_t bytes, bool report_progress) {
    if (begin() == nullptr)
        return std::size_t{0}; // in a forked child
    const std::lock_guard growing(growth_mutex_);
    const std::size_t before = capacity();
    const std::size_t room = max_capacity_ - before;
    // The end is rounded, not the length: the next growth then begins where a huge page can.
    const std::size_t unit = data_unit(data_.plan.pages);
    const std::size_t added =
        bytes >= room ? room : std::min(round_up(before + bytes, unit) - before, room);
    if (bytes == 0 || added == 0)
        return std::size_t{0};

    const auto refuse = [this](const error& failed) -> result<std::size_t> {
        growth_failures_.fetch_add(1, std::memory_order_relaxed);
        return failed;
    };
    // Records first: a granule may only be published once its record is resident.
    const std::size_t records_before = bookkeeping_for(before, max_capacity_);
    chunk records(bookkeeping_.range.begin() + records_before,
                  bookkeeping_for(before + added, max_capacity_) - records_before,
                  bookkeeping_.plan);
    if (auto failed = records.make_resident({}))
        return refuse(*failed);
    chunk data(begin() + before, added, data_.plan);
    chunk_progress progress;
    if (report_progress && progress_)
        progress = [this, added](std::size_t populated) { progress_({populated, added}); };
    if (auto failed = data.make_resident(progress))
        return refuse(*failed);
    bookkeeping_.keep(records);
    data_.keep(data);
    runs_.extend(static_cast<std::uint32_t>(added / granule_size));
    return added;
}

} // namespace resident::detail
