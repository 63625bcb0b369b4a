#include "tool/size.hpp"

#include "resident/arena.hpp"
#include "tool/contest.hpp"
#include "tool/exit_code.hpp"
#include "tool/quantities.hpp"
#include "tool/reporting_command.hpp"
#include "tool/size_report.hpp"
#include "tool/usage_error.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <stdexcept>

namespace resident::tool {
namespace {

size_result find(const size_options& options, os::termination_signals& signals) {
    progress_line progress("resident size", options.quiet);
    progress.show(fmt::format("reading {}", options.file));
    replay::class_usage usage;
    const trace_input input = read_trace(options.file, &usage);
    const sizing found = find_size(
        input, usage, {.most_tries = static_cast<unsigned>(options.tries)}, signals, progress);
    if (!found.search.failure.empty())
        throw std::runtime_error("no capacity could be found: " + found.search.failure);
    return {.input = input, .classes = usage.table(), .peaks = usage.peaks(), .found = found};
}

} // namespace

sizing find_size(const trace_input& input, const replay::class_usage& usage,
                 const sizing_limits& limits, os::termination_signals& signals,
                 progress_line& progress) {
    const bool threads = input.summary.threads > 1;
    sizing found{.lanes = threads ? usage.lanes() : 0, .bound = usage.bound(threads)};
    std::string doing;
    replay_turn turn(input, signals, [&](std::uint64_t events) {
        progress.show(fmt::format("{}: event {} of {}", doing, grouped(events),
                                  grouped(input.summary.events)));
    });
    const std::size_t in_use = usage.peaks().peak_in_use;
    // Blocks that are in use at once have room in no arena that is shorter.
    const capacity_range range{.least = in_use,
                               .guess = in_use + in_use / 16 + (found.lanes + 4) * 16_KiB +
                                        usage.largest_alignment(),
                               .resolution = limits.coarse ? in_use / 64 : 0,
                               .most_tries = limits.most_tries,
                               .lanes = found.lanes};
    found.search = find_capacity(turn, range, [&](unsigned attempt, std::size_t capacity) {
        doing = fmt::format("try {}: an arena of {}", attempt, short_size(capacity));
        progress.show(doing);
    });
    found.memlock = arena::memlock_needed({.capacity = found.search.capacity});
    return found;
}

int run_size(const size_options& options) {
    const reporting_command command("resident size", options.json);
    return command.run([&](os::termination_signals& signals) {
        const size_result result = find(options, signals);
        const bool written =
            command.write([&] { return size_json(result); },
                          [&] { return size_text(result, abilities_of_output()); });
        return written ? exit_success : exit_check_failed;
    });
}

} // namespace resident::tool
