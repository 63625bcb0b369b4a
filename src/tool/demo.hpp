/// `resident demo`.
#pragma once

#include "tool/demo_options.hpp"

namespace resident::tool {

/// Measures, reports and judges. Returns: the exit code.
int run_demo(const demo_options& options);

} // namespace resident::tool
