/// From options to what can be measured here.
#pragma once

#include "os/harness/shared_memory.hpp"
#include "tool/demo_result.hpp"
#include "tool/usage_error.hpp"

#include <cstddef>
#include <string>

namespace resident::tool {

/// The input in memory to share with the contestants, and how much of it they keep where.
struct demo_setup {
    workload load;
    os::shared_memory input;
};

/// Effects: raises the soft memlock limit to the hard one, reads the input, and chooses sizes so
/// that all that must be locked fits the limit, the cgroups and RAM.
/// Throws: usage_error or input_error if and only if the options cannot be met.
[[nodiscard]] demo_setup set_up(const demo_options& options);

} // namespace resident::tool
