/// The loop that is measured.
#pragma once

#include "os/harness/periodic_clock.hpp"
#include "resident/fault_counter.hpp"
#include "tool/latency_histogram.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace resident::tool {

/// What a stretch of the loop is given, and gives.
struct loop_stretch {
    std::int64_t interval = 0; ///< nanoseconds
    std::uint64_t periods = 0; ///< its length in all; those missed count
    std::atomic<std::uint64_t>& periods_done;
    latency_histogram& work;
    std::uint64_t missed_periods = 0;
    faults counted{};
};

/// Does `work` once a period, by the clock: a period whose beginning passes while work is still
/// being done is missed, not made up for. Counts the page faults of this thread, and records how
/// long each piece of work took; the lateness of waking up is not part of that. Every period of the
/// stretch is either recorded or missed.
template <class Work>
void run_loop(loop_stretch& stretch, Work& work) {
    const fault_counter counter;
    std::int64_t next = os::monotonic_nanoseconds() + stretch.interval;
    std::uint64_t period = 0;
    while (period < stretch.periods) {
        os::sleep_until(next);
        const std::int64_t begin = os::monotonic_nanoseconds();
        work();
        const std::int64_t end = os::monotonic_nanoseconds();
        stretch.work.record(static_cast<std::uint64_t>(end - begin));
        next += stretch.interval;
        ++period;
        if (end > next) {
            const std::int64_t passed = (end - next) / stretch.interval + 1;
            next += passed * stretch.interval;
            // Those after the last one are nobody's.
            const std::uint64_t missed =
                std::min(static_cast<std::uint64_t>(passed), stretch.periods - period);
            period += missed;
            stretch.missed_periods += missed;
        }
        stretch.periods_done.store(period, std::memory_order_relaxed);
    }
    stretch.counted = counter.count();
}

} // namespace resident::tool
