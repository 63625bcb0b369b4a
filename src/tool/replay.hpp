/// `resident replay`.
#pragma once

#include "tool/replay_options.hpp"

namespace resident::tool {

/// Runs the trace on the contestants and reports. Returns: the exit code.
int run_replay(const replay_options& options);

} // namespace resident::tool
