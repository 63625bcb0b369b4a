/// The contestants of replays that only the benchmarks have: heaps on a locked arena.
#pragma once

#include "tool/replay_contestants.hpp"

#include <vector>

namespace resident::bench {

/// One that is not installed tells so.
[[nodiscard]] std::vector<tool::replay_contestant> replays_on_arena();

} // namespace resident::bench
