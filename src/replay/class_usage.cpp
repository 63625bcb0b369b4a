#include "replay/class_usage.hpp"

#include "pool/footprint_bound.hpp"
#include "replay/block_sources.hpp"
#include "resident/synchronized_pool_resource.hpp"

#include <algorithm>

namespace resident::replay {

using detail::size_classes;

void class_usage::visit(const chunk& part) {
    for (const operation& now : part.operations.first(part.count))
        apply(now);
    // What comes after the last chunk is not known yet; a snapshot too many does no harm.
    if (at_peak_)
        take_snapshot();
}

void class_usage::apply(const operation& now) {
    if (now.kind != action::allocate && now.kind != action::free && now.kind != action::reallocate)
        return;
    const bool new_peak = live_.apply(now);
    if (at_peak_ && !new_peak)
        take_snapshot();
    if (now.slot >= blocks_.size())
        blocks_.resize(now.slot + std::size_t{1});
    block& here = blocks_[now.slot];
    const block before = here;
    if (now.kind != action::free)
        add(here, now);
    if (before.in_use)
        remove(before);
    if (now.kind == action::free)
        here.in_use = false;
    at_peak_ = new_peak;
}

void class_usage::take_snapshot() {
    for (std::size_t index = 0; index < classes; ++index)
        snapshot_[index] = total_.in_use(static_cast<detail::size_class_index>(index));
    snapshot_run_bytes_ = total_.run_bytes_in_use();
    at_peak_ = false;
}

void class_usage::add(block& to, const operation& now) {
    // Threads that find no lane free share the last one.
    const auto lane = std::min<std::size_t>(now.worker, synchronized_pool_resource::most_lanes);
    while (lanes_.size() <= lane)
        lanes_.emplace_back(pool_options{});
    to = {.request = {.bytes = now.size, .alignment = alignment_of(now.alignment_log2)},
          .lane = static_cast<std::uint32_t>(lane),
          .in_use = true};
    if (to.request.alignment > arena::granule_size)
        largest_alignment_ = std::max(largest_alignment_, to.request.alignment);
    total_.note_allocation(to.request);
    lanes_[lane].note_allocation(to.request);
}

void class_usage::remove(const block& what) {
    total_.note_deallocation(what.request);
    lanes_[what.lane].note_deallocation(what.request);
}

footprint_report class_usage::peaks() const {
    footprint_report report;
    total_.report(report);
    return report;
}

std::vector<class_peaks> class_usage::table() const {
    std::vector<class_peaks> used;
    const footprint_report report = peaks();
    for (std::size_t index = 1; index < classes; ++index) {
        const size_class_footprint& each = report.classes[index - 1];
        if (each.peak == 0)
            continue;
        used.push_back({.block_size = each.block_size,
                        .peak = each.peak,
                        .peak_bytes = each.peak * each.block_size,
                        .at_peak = snapshot_[index],
                        .at_peak_bytes = snapshot_[index] * each.block_size});
    }
    if (report.runs.peak != 0) {
        used.push_back({.block_size = 0,
                        .peak = report.runs.peak,
                        .peak_bytes = report.runs.peak_bytes,
                        .at_peak = snapshot_[0],
                        .at_peak_bytes = snapshot_run_bytes_});
    }
    return used;
}

std::size_t class_usage::bound(bool threads) const {
    const footprint_report report = peaks();
    if (!threads)
        return detail::worst_case_capacity(report, 0);
    std::vector<footprint_report> lanes(lanes_.size());
    for (std::size_t index = 0; index < lanes.size(); ++index)
        lanes_[index].report(lanes[index]);
    constexpr std::size_t shared = 20_KiB / arena::granule_size; // as the pool's constructor says
    return detail::worst_case_capacity(lanes, report.runs, shared, 0);
}

} // namespace resident::replay
