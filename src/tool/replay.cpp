#include "tool/replay.hpp"

#include "os/harness/output_file.hpp"
#include "os/harness/terminal.hpp"
#include "os/harness/termination_signals.hpp"
#include "replay/class_usage.hpp"
#include "resident/memory_limit.hpp"
#include "tool/contest.hpp"
#include "tool/exit_code.hpp"
#include "tool/machine.hpp"
#include "tool/progress_line.hpp"
#include "tool/quantities.hpp"
#include "tool/replay_contest.hpp"
#include "tool/replay_report.hpp"
#include "tool/size.hpp"
#include "tool/usage_error.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <stdexcept>

namespace resident::tool {
namespace {

void complain(std::string_view what) { fmt::print(stderr, "resident replay: {}\n", what); }

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
    const bool threads = result.input.summary.threads > 1;
    if (!needs_capacity(result.contestants)) {
        result.capacity = usage.bound(threads);
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
    if (threads) {
        // Each run meets the threads in another order.
        const std::size_t eighth = result.capacity / 8;
        result.capacity +=
            (eighth + arena::granule_size - 1) / arena::granule_size * arena::granule_size;
        result.capacity_from += ", and an eighth for threads that meet in other ways";
    }
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
    (void)raise_memory_limit(); // where that fails, the arena's error tells
    choose_capacity(result, usage, signals, progress);
    replay_contest(result, signals, progress).run();
    return result;
}

int report(const replay_result& result) {
    bool written = true;
    const auto& json = result.options.json;
    std::string text;
    if (json && *json != "-") {
        std::string reason;
        written = os::output_file::write(*json, replay_json(result), reason);
        if (!written)
            complain(reason);
    }
    const std::string refused = os::write_output(
        json == "-" ? replay_json(result) : replay_text(result, abilities_of_output()));
    if (!refused.empty())
        complain("standard output takes no more: " + refused);
    return result.holds() && written && refused.empty() ? exit_success : exit_check_failed;
}

} // namespace

int run_replay(const replay_options& options) {
    int signal = 0;
    try {
        os::termination_signals signals;
        std::string reason;
        if (options.json && *options.json != "-" && !os::output_file::usable(*options.json, reason))
            throw usage_error("--json: " + reason);
        return report(measure(options, signals));
    } catch (const usage_error& what) {
        complain(what.what());
        return exit_usage;
    } catch (const interrupted& what) {
        signal = what.signal;
    } catch (const std::exception& what) {
        complain(what.what());
        return exit_check_failed;
    }
    complain("stopped; no report was written");
    os::termination_signals::end_by(signal);
}

} // namespace resident::tool
