/// The report for machines.
#pragma once

#include "tool/demo_result.hpp"

#include <string>

namespace resident::tool {

/// All that was measured, as JSON; the names are part of the command's interface, see docs/demo.md.
[[nodiscard]] std::string json_report(const demo_result& result);

} // namespace resident::tool
