// The loop that the demo and the benchmark under pressure measure.
#include "os/harness/periodic_clock.hpp"
#include "tool/periodic_loop.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>

namespace resident::test {
namespace {

constexpr std::int64_t millisecond = 1'000'000; // ns

TEST(PeriodicLoop, APeriodIsDoneOrMissedHoweverLongTheWorkTakes) {
    std::atomic<std::uint64_t> done{0};
    tool::latency_histogram work;
    tool::loop_stretch stretch{
        .interval = millisecond, .periods = 50, .periods_done = done, .work = work};
    std::uint64_t calls = 0;
    // The second one takes the rest of the stretch, and longer.
    auto stalled = [&calls] {
        if (++calls == 2)
            os::sleep_until(os::monotonic_nanoseconds() + 100 * millisecond);
    };
    tool::run_loop(stretch, stalled);
    EXPECT_LE(calls, 2U);
    EXPECT_EQ(work.total(), calls);
    EXPECT_EQ(work.total() + stretch.missed_periods, 50U);
    EXPECT_EQ(done.load(), 50U);
}

} // namespace
} // namespace resident::test
