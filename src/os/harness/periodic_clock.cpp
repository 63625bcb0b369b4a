#include "os/harness/periodic_clock.hpp"

#include <cerrno>

#include <time.h>

namespace resident::os {

std::int64_t monotonic_nanoseconds() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void sleep_until(std::int64_t nanoseconds) noexcept {
    const timespec deadline{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, nullptr) == EINTR) {
    }
}

} // namespace resident::os
