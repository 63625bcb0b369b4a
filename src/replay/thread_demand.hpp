/// Whether the threads of a trace can be had.
#pragma once

#include "os/harness/thread_room.hpp"
#include "replay/summary.hpp"
#include "resident/error.hpp"

#include <string>

namespace resident::replay {

/// Returns: why a replay may not start as many threads as the trace has at once, with the number,
/// the event from which on there are as many, the limit, and the remedy; empty if it may. Of the
/// memory that is left it may take half: the rest is for the blocks, and for others.
[[nodiscard]] std::string why_not_threads(const trace_summary& summary, const os::thread_room& room,
                                          const headroom_snapshot& memory);

} // namespace resident::replay
