/// The report as one page that needs nothing else.
#pragma once

#include "tool/demo_result.hpp"
#include "tool/report_svg.hpp"

#include <string>

namespace resident::tool {

[[nodiscard]] std::string html_report(const demo_result& result, const picture& histogram);

} // namespace resident::tool
