/// A trace that waits for the process that records into it.
#pragma once

#include "trace/event.hpp"

#include <optional>
#include <string>

namespace resident::trace {

/// Effects: creates `path`, or replaces the trace that is there.
/// Fails, with why in the result, if and only if something else is there or it cannot be written.
std::optional<std::string> create_blank_trace(const std::string& path, std::uint64_t session);

} // namespace resident::trace
