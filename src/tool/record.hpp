/// `resident record`.
#pragma once

#include "tool/record_options.hpp"

namespace resident::tool {

/// Runs the program, seals its traces, and says what is in them. Returns: the exit code.
int run_record(const record_options& options);

/// Measures what recording costs. Returns: the exit code.
int run_record_overhead(const record_options& options);

/// The child that is measured: allocates and frees.
int run_malloc_child();

} // namespace resident::tool
