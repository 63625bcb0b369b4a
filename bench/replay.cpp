// A recorded trace on every contestant: `resident replay`, and with it the heaps on an arena that
// only the benchmarks are linked with.
#include "tool/replay.hpp"

#include "support/replay_on_arena.hpp"
#include "tool/exit_code.hpp"
#include "tool/replay_child.hpp"
#include "tool/replay_command.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <string_view>

namespace resident::bench {
namespace {

int run(int count, char** arguments) {
    tool::add_replay_contestants(replays_on_arena());
    // What the turns run their children with, of this same program.
    if (count == 2 && arguments[1] == std::string_view("replay-child"))
        return tool::run_replay_child();
    CLI::App application("Run a recorded trace on every contestant: time, faults, memory");
    tool::replay_options options;
    tool::add_replay_words(application, options);
    try {
        application.parse(count, arguments);
    } catch (const CLI::ParseError& what) {
        return application.exit(what) == 0 ? tool::exit_success : tool::exit_usage;
    }
    return tool::run_replay(options);
}

} // namespace
} // namespace resident::bench

int main(int count, char** arguments) {
    try {
        return resident::bench::run(count, arguments);
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "bench_replay: %s\n", failure.what());
        return resident::tool::exit_check_failed;
    }
}
