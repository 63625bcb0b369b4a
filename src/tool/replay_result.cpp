#include "tool/replay_result.hpp"

#include "tool/quantities.hpp"
#include "tool/spread.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace resident::tool {
namespace {

std::uint64_t median_of(const std::vector<replay::execution>& runs, std::uint64_t faults::*which) {
    std::vector<double> values;
    values.reserve(runs.size());
    for (const replay::execution& run : runs)
        values.push_back(static_cast<double>(run.page_faults.*which));
    return values.empty() ? 0 : static_cast<std::uint64_t>(spread_of(values).median);
}

} // namespace

void replay_figures::begin_anew() {
    if (broken.empty())
        *this = {.who = who};
}

double replay_figures::median_ns() const { return spread_of(ns_per_event).median; }

double replay_figures::spread() const {
    const auto [fastest, slowest] = std::minmax_element(ns_per_event.begin(), ns_per_event.end());
    return (*slowest - *fastest) / 2 / median_ns();
}

std::uint64_t replay_figures::minor_faults() const { return median_of(runs, &faults::minor); }
std::uint64_t replay_figures::major_faults() const { return median_of(runs, &faults::major); }

bool replay_result::holds() const {
    return std::all_of(contestants.begin(), contestants.end(), [](const replay_figures& row) {
        return row.broken.empty() &&
               (!row.who->is_arena || (row.missing.empty() && row.fits == true));
    });
}

std::string describe(const replay::finding& flaw) {
    const std::string where =
        flaw.event == 0 ? "at the end of the trace" : fmt::format("at event {}", flaw.event);
    switch (flaw.what) {
    case replay::finding::kind::misaligned:
        return fmt::format("{} the block of {} bytes at {:#x} is not aligned to {}", where,
                           flaw.size, flaw.address, flaw.alignment);
    case replay::finding::kind::overwritten: {
        std::string text = fmt::format("{} the block of event {}, {} bytes at {:#x}, had been "
                                       "overwritten from {:#x} on",
                                       where, flaw.block_event, flaw.size, flaw.address,
                                       flaw.address + flaw.offset);
        if (flaw.other_event != 0)
            text += fmt::format(" by the block of event {}: the two overlap", flaw.other_event);
        return text;
    }
    case replay::finding::kind::no_room:
        return "the pool itself does not fit";
    case replay::finding::kind::refused:
        return fmt::format("{} a request of {} bytes was refused", where, flaw.size);
    case replay::finding::kind::none:
        break;
    }
    return "nothing";
}

} // namespace resident::tool
