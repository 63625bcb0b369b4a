/// The report on the terminal.
#pragma once

#include "tool/demo_result.hpp"
#include "tool/text_layout.hpp"

#include <string>

namespace resident::tool {

/// Conditions, table, histogram and notes; all but the conclusion.
[[nodiscard]] std::string text_report(const demo_result& result, const text_abilities& abilities);

/// The counts behind the histogram, in the manner of `cyclictest --histogram`.
[[nodiscard]] std::string text_counts(const demo_result& result);

} // namespace resident::tool
