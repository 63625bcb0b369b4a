/// The smallest arena on which a trace fits our pool, found by replaying it.
#pragma once

#include "tool/replay_turn.hpp"

#include <cstddef>
#include <functional>
#include <string>

namespace resident::tool {

struct capacity_range {
    std::size_t least = 0;      ///< bytes; less cannot be enough
    std::size_t guess = 0;      ///< to begin with
    std::size_t resolution = 0; ///< stop when what fits and what does not are this close
    unsigned most_tries = 0;
};

struct found_capacity {
    std::string failure{};     ///< why nothing was found; empty if it was
    std::size_t capacity = 0;  ///< bytes; the trace fitted
    std::size_t too_small = 0; ///< the largest that was tried, or known, not to be enough
    std::size_t peak_held = 0; ///< by the pool, in the fitting arena
    unsigned tries = 0;
};

/// Effects: replays the trace on unlocked arenas of different capacities, larger ones until it
/// fits, then by bisection. Calls `told` before each try.
[[nodiscard]] found_capacity
find_capacity(replay_turn& turn, const capacity_range& range,
              const std::function<void(unsigned attempt, std::size_t capacity)>& told);

} // namespace resident::tool
