/// Where the instructions of a call went.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace resident::os {

/// A trace for a reader: a line a straight run of instructions, with their number, the place in the
/// object file (as addr2line takes it) and, where the dynamic linker knows it, the function.
[[nodiscard]] std::string describe_trace(const std::vector<std::uintptr_t>& trace);

} // namespace resident::os
