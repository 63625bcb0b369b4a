/// Closing a trace whose process is gone: everything is counted, and put under checksums.
#pragma once

#include "trace/event.hpp"

#include <optional>
#include <string>

namespace resident::trace {

/// What was reserved at the end of the file, and not used.
enum class unused_space {
    cut_off,
    kept, ///< where a process may have it mapped: touching what is cut off would end that process
};

/// Effects: reads the whole file, checks it, and writes the totals and checksums into it, and
/// `end`, unless that is unknown or replaced and the process itself has told of its exit. A file
/// that is sealed is left as it is, and its records are not read.
/// Requires: nobody writes to the file any more; if space is cut off, nobody has it mapped either.
/// Returns: the error if and only if the file is no trace, or an open one that contradicts itself
/// (a block that has another number of records than were counted as they were written), or cannot
/// be written.
std::optional<trace_error> seal(const std::string& path, process_end end, std::uint32_t end_value,
                                unused_space unused = unused_space::cut_off);

} // namespace resident::trace
