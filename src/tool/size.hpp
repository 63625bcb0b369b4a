/// `resident size`.
#pragma once

#include "os/harness/termination_signals.hpp"
#include "replay/class_usage.hpp"
#include "tool/capacity_search.hpp"
#include "tool/progress_line.hpp"
#include "tool/replay_options.hpp"
#include "tool/trace_input.hpp"

#include <cstddef>

namespace resident::tool {

struct sizing_limits {
    unsigned most_tries = 24;
    bool coarse = false; ///< to 1/64 of the capacity
};

/// What a trace takes of our pool.
struct sizing {
    found_capacity search{};
    std::size_t memlock = 0; ///< what an arena of that capacity charges, bytes
    std::size_t lanes = 0;   ///< of a synchronized pool; 0 for one thread
    std::size_t bound = 0;   ///< bytes
};

/// Effects: searches by replay. Throws: as replay_turn::run.
[[nodiscard]] sizing find_size(const trace_input& input, const replay::class_usage& usage,
                               const sizing_limits& limits, os::termination_signals& signals,
                               progress_line& progress);

/// Returns: the exit code.
int run_size(const size_options& options);

} // namespace resident::tool
