/// What the figures were measured on.
#pragma once

#include "tool/latency_histogram.hpp"

#include <string>
#include <utility>
#include <vector>

namespace resident::tool {

/// Name and value, in the order to print: the processor, the kernel, its limits, and how this
/// program was built. What cannot be read is left out.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> describe_machine();

/// The name of the fact, and the value if it is not pinned, of where a program's threads stay.
inline constexpr const char* pinned_fact = "pinned to processor";
inline constexpr const char* not_pinned = "none";

/// Two readings of the clock with nothing between them, a million times: what no measurement that
/// reads it is better than.
[[nodiscard]] latency_histogram clock_noise();

/// Now, UTC, as 2024-05-01T12:00:00Z.
[[nodiscard]] std::string timestamp();

} // namespace resident::tool
