/// Closing a trace whose process is gone: everything is counted, and put under checksums.
#pragma once

#include "trace/event.hpp"

#include <optional>
#include <string>

namespace resident::trace {

/// Effects: reads the whole file, checks it, cuts off what was reserved and not used, and writes
/// the totals and checksums into it, and `end`, unless that is unknown and the process itself has
/// told of its exit. Sealing a sealed file does nothing.
/// Requires: nobody writes to the file, or has it mapped for writing, any more.
/// Returns: the error if and only if the file is no trace, contradicts itself (a block that has
/// another number of records than were counted as they were written), or cannot be written.
std::optional<trace_error> seal(const std::string& path, process_end end, std::uint32_t end_value);

} // namespace resident::trace
