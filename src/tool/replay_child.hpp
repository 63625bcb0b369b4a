/// The child's side of a replay.
#pragma once

namespace resident::tool {

/// Replays a trace on one contestant, as ordered through the replay_channel in descriptor 3.
/// Returns: the exit code; 0 if and only if the stage is `finished`.
int run_replay_child();

} // namespace resident::tool
