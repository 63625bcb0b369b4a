#include "tool/demo_measurement.hpp"

#include "tool/contest.hpp"
#include "tool/machine.hpp"
#include "tool/pressure.hpp"

#include <optional>

namespace resident::tool {

demo_result measure(const demo_options& options, const demo_setup& setup,
                    os::termination_signals& signals, progress_line& progress,
                    const std::function<void(std::string_view)>& complain) {
    demo_result result{.options = options,
                       .rounds = contest::rounds_of(options),
                       .machine = describe_machine(),
                       .load = setup.load,
                       .pressure = {},
                       .contestants = {},
                       .started = timestamp()};
    std::optional<pressure> beside;
    if (options.pressure) {
        beside.emplace(setup.load.arena_capacity);
    } else {
        beside.emplace("not wanted (--no-pressure)");
    }
    result.pressure = beside->state();
    contest rounds(options, setup.load, setup.input, *beside, signals,
                   [&progress](const contest_progress& now) { progress.show(now); });
    const auto end_pressure = [&] {
        progress.clear();
        if (!beside->end()) {
            complain("the memory cgroup or the swap file could not be removed; look for "
                     "resident-demo-* in the cgroup file system and in /proc/swaps");
        }
    };
    try {
        result.contestants = rounds.run();
    } catch (...) {
        end_pressure();
        throw;
    }
    end_pressure();
    return result;
}

} // namespace resident::tool
