/// The clock that single calls are timed with.
#pragma once

#include "os/harness/periodic_clock.hpp"

#include <cstdint>
#include <string>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace resident::bench {

/// The processor's time-stamp counter where it runs at one rate in every state of the processor
/// (x86-64 that says "invariant TSC"), else CLOCK_MONOTONIC. Reading the counter takes no call;
/// fences keep the measured call between the two readings.
class call_clock {
public:
    /// Effects: compares the counter with CLOCK_MONOTONIC for 20 ms.
    call_clock();

    /// Real-time safe, as is all that follows.
    [[nodiscard, gnu::always_inline]] std::uint64_t begin() const noexcept {
#if defined(__x86_64__)
        if (counts_cycles_) {
            _mm_lfence(); // everything before is done
            const std::uint64_t now = __rdtsc();
            _mm_lfence(); // nothing after has begun
            return now;
        }
#endif
        return static_cast<std::uint64_t>(os::monotonic_nanoseconds());
    }
    [[nodiscard, gnu::always_inline]] std::uint64_t end() const noexcept {
#if defined(__x86_64__)
        if (counts_cycles_) {
            unsigned processor = 0;
            const std::uint64_t now = __rdtscp(&processor); // waits for what was before
            _mm_lfence();
            return now;
        }
#endif
        return static_cast<std::uint64_t>(os::monotonic_nanoseconds());
    }

    /// Of a difference of two readings, rounded; a difference below zero is 0.
    [[nodiscard]] std::uint64_t nanoseconds(std::uint64_t ticks) const noexcept {
        if (static_cast<std::int64_t>(ticks) < 0) {
            return 0;
        }
        return static_cast<std::uint64_t>(static_cast<double>(ticks) * nanoseconds_per_tick_ + 0.5);
    }

    /// Which clock it is, its resolution, and what reading it twice takes: for the reader.
    [[nodiscard]] std::string describe() const;

private:
    bool counts_cycles_ = false;
    double nanoseconds_per_tick_ = 1;
};

} // namespace resident::bench
