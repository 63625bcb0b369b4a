/// The traces of one run of `resident record`.
#pragma once

#include "os/harness/foreground_process.hpp"
#include "trace/event.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace resident::tool {

struct recorded_trace {
    std::string path;
    trace::trace_header header;
    std::uint64_t peak_bytes = 0; ///< live at once, as requested
    std::uint64_t foreign = 0;    ///< frees of blocks that nothing in the trace gave
    /// Blocks that were given where one was, beyond what calls that were under way can explain.
    std::uint64_t doubly_given = 0;
    bool inherits = false; ///< it may be a forked child's, which has blocks from its parent
    bool running = false;  ///< its process may still be: neither sealed nor read
    std::string failure;   ///< why it cannot be sealed or read; empty: it could
};

/// Finds FILE and all of its session beside it, waits a moment for processes that are just ending,
/// and seals and reads each. FILE is the first, if it was recorded into at all; the others are in
/// the order in which they began. `end` is that of the process that was started: it goes to the
/// last program that this was.
std::vector<recorded_trace> collect_traces(const std::string& file, std::uint64_t session,
                                           const os::foreground_end& end);

/// What is wrong, a sentence with its remedy each; empty if nothing is.
std::vector<std::string> complaints_about(const std::vector<recorded_trace>& traces);

/// The table, of at most 79 columns.
std::string summary_of(const std::vector<recorded_trace>& traces);

} // namespace resident::tool
