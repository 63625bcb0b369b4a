/// The child's side of a replay.
#pragma once

#include <optional>

namespace resident::tool {

/// Where the child of a trace stays: one thread on one processor, the last that may be used, since
/// interrupts are mostly served by the first. None for several threads.
[[nodiscard]] std::optional<int> processor_of_replay(bool has_threads);

/// Replays a trace on one contestant, as ordered through the replay_channel in descriptor 3.
/// Returns: the exit code; 0 if and only if the stage is `finished`.
int run_replay_child();

} // namespace resident::tool
