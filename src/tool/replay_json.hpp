/// Parts of JSON reports that are about a trace.
#pragma once

#include "tool/trace_input.hpp"

#include <nlohmann/json.hpp>

namespace resident::tool {

[[nodiscard]] nlohmann::ordered_json trace_part(const trace_input& input);

} // namespace resident::tool
