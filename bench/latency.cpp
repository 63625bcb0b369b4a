/// How long single calls take, to the rare ones: each timed by itself, on a fresh heap and in its
/// steady state, with the noise floor measured in the same rounds.
#include "contestants/all.hpp"
#include "contestants/no_call.hpp"
#include "support/bind_at_start.hpp"
#include "support/latency_contest.hpp"
#include "support/machine.hpp"
#include "support/progress.hpp"
#include "support/shared_arena.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>

namespace {

using namespace resident::bench;

struct effort {
    timed_calls_amount amount;
    int rounds;
};

/// More rounds rather than longer ones: SCHED_FIFO is throttled when it runs for 0.95 s on end.
constexpr effort quick{{.replacements = 100'000}, 10};
constexpr effort full{{.warm_up = 100'000, .replacements = 500'000}, 100};

std::vector<timed_contestant> all_timed() {
    std::vector<timed_contestant> made{timed<no_call>()};
    for_each_contestant(all_contestants{}, [&]<class C>() { made.push_back(timed<C>()); });
    return made;
}

} // namespace

int main(int argc, char** argv) {
    bind_at_start(argv);
    const part_writer writer;
    std::string percentiles_folder;
    const run_options options = parse_command_line(
        argc, argv, "Every call timed: percentiles of allocate and free, fresh and warm",
        other_words::refused, [&percentiles_folder](CLI::App& application) {
            application
                .add_option("--percentiles", percentiles_folder,
                            "Write latencies as HdrHistogram's percentile text to this folder")
                ->check(CLI::ExistingDirectory);
        });
    verify_contestants();
    set_shared_arena_capacity(enough_for_the_churn);
    pin_to_one_processor();
    name_missing_contestants();
    const std::string clock = "Clock: " + call_clock{}.describe();
    const effort& chosen = options.full ? full : quick;
    std::vector<timed_result> results;
    {
        waiting_line waiting;
        results = time_in_rounds(all_timed(), chosen.amount, chosen.rounds,
                                 [&waiting](const std::string& what) { waiting.show(what); });
    }
    fmt::print("{}\n{}", clock, latency_text(results));
    std::fflush(stdout);
    part_record part = latency_part(results);
    part.full = options.full;
    part.notes.push_back(clock);
    int status = writer.finish(part, options);
    if (!percentiles_folder.empty()) {
        if (const std::string reason = write_percentiles(results, percentiles_folder);
            !reason.empty()) {
            fmt::print(stderr, "{}\n", reason);
            status = 1;
        }
    }
    return status;
}
