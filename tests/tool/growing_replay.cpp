// A replay that begins on a capacity which no search has found: growing_replay TRACE BYTES LANES.
// LANES: of the pool; 0 if the capacity may not grow.
#include "tool/exit_code.hpp"
#include "tool/progress_line.hpp"
#include "tool/replay_child.hpp"
#include "tool/replay_contest.hpp"
#include "tool/replay_report.hpp"

#include <cstdio>
#include <string>

namespace {

using namespace resident;

int run(const std::string& trace, std::size_t capacity, std::size_t lanes) {
    os::termination_signals signals;
    tool::progress_line progress("growing_replay", true);
    tool::replay_result result{
        .options = {.file = trace, .repetitions = 2, .samples = 0, .lock = false},
        .input = tool::read_trace(trace),
        .capacity = capacity,
        .capacity_from = "as told",
        .growing_lanes = lanes,
        .contestants = {{.who = tool::find_replay_contestant("resident")},
                        {.who = tool::find_replay_contestant("std-pool")}}};
    tool::replay_contest(result, signals, progress).run();
    std::puts(tool::replay_json(result).c_str());
    return tool::exit_success;
}

} // namespace

int main(int count, char** arguments) {
    if (count == 2 && arguments[1] == std::string("replay-child"))
        return tool::run_replay_child();
    return count == 4 ? run(arguments[1], std::stoul(arguments[2]), std::stoul(arguments[3]))
                      : tool::exit_usage;
}
