#include "support/call_clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace resident::bench {

namespace {

/// Whether the counter's rate is one, whatever the processor's frequency and sleep.
bool has_invariant_counter() {
#if defined(__x86_64__)
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    constexpr unsigned power_management = 0x80000007;
    return __get_cpuid(power_management, &a, &b, &c, &d) != 0 && (d & (1U << 8)) != 0;
#else
    return false;
#endif
}

/// What two readings with nothing between them show, in nanoseconds.
std::uint64_t median_pair(const call_clock& clock) {
    std::vector<std::uint64_t> pairs(10'001);
    for (std::uint64_t& each : pairs) {
        const std::uint64_t begin = clock.begin();
        each = clock.end() - begin;
    }
    std::nth_element(pairs.begin(), pairs.begin() + 5'000, pairs.end());
    return clock.nanoseconds(pairs[5'000]);
}

} // namespace

call_clock::call_clock() : counts_cycles_(has_invariant_counter()) {
    if (!counts_cycles_) {
        return;
    }
    constexpr std::int64_t compared = 20'000'000;
    const std::int64_t began = os::monotonic_nanoseconds();
    const std::uint64_t first = begin();
    std::int64_t now = began;
    while ((now = os::monotonic_nanoseconds()) - began < compared) {
    }
    nanoseconds_per_tick_ = static_cast<double>(now - began) / static_cast<double>(end() - first);
}

std::string call_clock::describe() const {
    const std::uint64_t pair = median_pair(*this);
    if (!counts_cycles_) {
        return fmt::format("CLOCK_MONOTONIC; two readings take {} ns", pair);
    }
    return fmt::format("time-stamp counter, fenced, {:.2f} ns a tick; two readings take {} ns",
                       nanoseconds_per_tick_, pair);
}

} // namespace resident::bench
