/// The demo in one sentence.
#pragma once

#include "tool/demo_result.hpp"

#include <string>

namespace resident::tool {

/// Says what was measured in this run, and nothing else.
[[nodiscard]] std::string conclude(const demo_result& result);

/// What a reader should know about how it was measured: contestants left out, locks or priorities
/// that could not be had, an input that was capped. One sentence each.
[[nodiscard]] std::vector<std::string> notes_on(const demo_result& result);

/// Name and value of what the containers did and under which conditions.
[[nodiscard]] std::vector<std::pair<std::string, std::string>>
conditions_of(const demo_result& result);

} // namespace resident::tool
