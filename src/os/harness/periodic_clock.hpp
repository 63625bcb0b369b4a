/// The clock of a periodic loop.
#pragma once

#include <cstdint>

namespace resident::os {

/// CLOCK_MONOTONIC, nanoseconds. Real-time safe: no system call but for odd clock sources.
[[nodiscard]] std::int64_t monotonic_nanoseconds() noexcept;

/// Sleeps until that clock shows `nanoseconds`. Real-time safe but for the sleep itself.
void sleep_until(std::int64_t nanoseconds) noexcept;

} // namespace resident::os
