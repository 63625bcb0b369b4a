#include "tool/replay.hpp"

#include "os/harness/realtime_thread.hpp"
#include "os/harness/termination_signals.hpp"
#include "replay/class_usage.hpp"
#include "resident/memory_limit.hpp"
#include "tool/contest.hpp"
#include "tool/exit_code.hpp"
#include "tool/machine.hpp"
#include "tool/progress_line.hpp"
#include "tool/quantities.hpp"
#include "tool/replay_child.hpp"
#include "tool/replay_contest.hpp"
#include "tool/replay_report.hpp"
#include "tool/reporting_command.hpp"
#include "tool/size.hpp"
#include "tool/usage_error.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

namespace resident::tool {
namespace {

std::vector<replay_figures> chosen_contestants(const replay_options& options) {
    std::vector<replay_figures> rows;
    if (options.contestants.empty()) {
        for (const replay_contestant& each : all_replay_contestants())
            rows.push_back({.who = &each});
    }
    for (const std::string& name : options.contestants)
        rows.push_back({.who = find_replay_contestant(name)});
    return rows;
}

bool needs_capacity(const std::vector<replay_figures>& rows) {
    for (const replay_figures& row : rows) {
        if (row.who->is_arena)
            return true;
    }
    return false;
}

/// What fits, by replay; without an arena among the contestants that is not worth its time.
void choose_capacity(replay_result& result, const replay::class_usage& usage,
                     os::termination_signals& signals, progress_line& progress) {
    if (result.options.capacity != 0) {
        result.capacity = result.options.capacity;
        result.capacity_from = "as asked for";
        return;
    }
    if (!needs_capacity(result.contestants)) {
        result.capacity = usage.bound(result.input.summary.threads > 1);
        result.capacity_from = "what is enough for every order of the requests";
        return;
    }
    const sizing found =
        find_size(result.input, usage, {.most_tries = 16, .coarse = true}, signals, progress);
    if (!found.search.failure.empty())
        throw std::runtime_error("no capacity could be found: " + found.search.failure);
    result.capacity = found.search.capacity;
    result.capacity_from =
        fmt::format("found by replay in {}", found.search.tries == 1
                                                 ? std::string("1 try")
                                                 : fmt::format("{} tries", found.search.tries));
    result.growing_lanes = found.lanes;
    if (found.search.confirmations != 0)
        result.capacity_from += ", and more for threads that meet in other ways";
}

/// Where the contestants will be.
latency_histogram clock_noise_on(std::optional<int> processor) {
    latency_histogram noise;
    std::thread([&] {
        if (processor)
            os::pin_to_processor(*processor);
        noise = clock_noise();
    }).join();
    return noise;
}

replay_result measure(const replay_options& options, os::termination_signals& signals) {
    progress_line progress("resident replay", options.quiet);
    progress.show(fmt::format("reading {}", options.file));
    replay::class_usage usage;
    replay_result result{.options = options,
                         .input = read_trace(options.file, &usage),
                         .capacity_from = {},
                         .contestants = chosen_contestants(options),
                         .machine = describe_machine(),
                         .started = timestamp()};
    const std::optional<int> processor = processor_of_replay(result.input.summary.threads > 1);
    result.machine.emplace_back(pinned_fact, processor ? std::to_string(*processor) : not_pinned);
    result.noise = clock_noise_on(processor);
    (void)raise_memory_limit(); // where that fails, the arena's error tells
    choose_capacity(result, usage, signals, progress);
    replay_contest(result, signals, progress).run();
    return result;
}

} // namespace

int run_replay(const replay_options& options) {
    const reporting_command command("resident replay", options.json);
    return command.run([&](os::termination_signals& signals) {
        const replay_result result = measure(options, signals);
        const bool written =
            command.write([&] { return replay_json(result); },
                          [&] { return replay_text(result, abilities_of_output()); });
        return written && result.holds() ? exit_success : exit_check_failed;
    });
}

} // namespace resident::tool
