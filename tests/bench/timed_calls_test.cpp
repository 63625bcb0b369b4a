// Concerns: what is timed is counted, each call once and in the right kind; delays and page faults
// are those of the contestant, to the number; a contestant that cannot be measured is named.
// Counts only: a delay is longer than whatever else may hold a call up.

#include "bench/known_contestants.hpp"
#include "support/latency_contest.hpp"
#include "tool/run_tool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace {

using namespace resident;
using namespace resident::bench;
using testing::HasSubstr;

constexpr timed_calls_amount few_calls{.live = 1'000, .warm_up = 1'000, .replacements = 4'000};

timed_result measure_once(const timed_contestant& contestant, int rounds = 1) {
    auto results = time_in_rounds({contestant}, few_calls, rounds);
    return std::move(results.front());
}

TEST(timed_calls, every_call_is_counted_once_in_each_round) {
    const timed_result result = measure_once(timed<test::honest>(), 3);
    ASSERT_EQ(result.refused, "");
    EXPECT_EQ(result.times.of(timed_call::fresh_allocate).total(), 3 * 1'000U);
    EXPECT_EQ(result.times.of(timed_call::fresh_free).total(), 3 * 1'000U);
    EXPECT_EQ(result.times.of(timed_call::warm_allocate).total(), 3 * 4'000U);
    EXPECT_EQ(result.times.of(timed_call::warm_free).total(), 3 * 4'000U);
    EXPECT_EQ(result.rounds[0].size(), 3U);
}

TEST(timed_calls, a_refusal_of_realtime_scheduling_is_told_at_eighty_columns) {
    timed_result result = measure_once(timed<test::honest>(), 1);
    ASSERT_EQ(result.refused, "");
    result.times.realtime_error = EPERM;
    result.times.records_locked = false;
    const std::string text = latency_text({result});
    EXPECT_THAT(text, HasSubstr("SCHED_FIFO is refused: Operation not permitted"));
    EXPECT_THAT(text, HasSubstr("NOT LOCKED"));
    EXPECT_LE(test::widest_line(text), 80U) << text;
}

TEST(timed_calls, calls_that_are_late_are_counted_as_late) {
    const timed_result result = measure_once(timed<test::late>());
    ASSERT_EQ(result.refused, "");
    const auto late_calls = [&](timed_call call) {
        // The bucket that holds the delay may begin 1.6 % before it.
        return result.times.of(call).between(0.97 * static_cast<double>(test::late::delay), 1e18);
    };
    EXPECT_EQ(late_calls(timed_call::fresh_allocate), 1U);
    EXPECT_EQ(late_calls(timed_call::warm_allocate), 4U);
    EXPECT_EQ(late_calls(timed_call::fresh_free), 0U);
    EXPECT_EQ(late_calls(timed_call::warm_free), 0U);
}

TEST(timed_calls, faults_are_those_of_the_contestant) {
    const timed_result result = measure_once(timed<test::faulting>(), 2);
    ASSERT_EQ(result.refused, "");
    EXPECT_EQ(result.times.faulted(timed_call::fresh_allocate), (faults{2 * 10, 0}));
    EXPECT_EQ(result.times.faulted(timed_call::fresh_free), (faults{0, 0}));
    EXPECT_EQ(result.times.faulted(timed_call::warm_allocate), (faults{2 * 40, 0}));
    EXPECT_EQ(result.rounds[0][1].faulted, (faults{10, 0}));
}

TEST(timed_calls, the_measurement_itself_does_not_fault) {
    const timed_result result = measure_once(timed<test::array_of_blocks>(), 2);
    ASSERT_EQ(result.refused, "");
    for (const faults& each : result.times.faults_of) {
        EXPECT_EQ(each, (faults{0, 0}));
    }
}

TEST(timed_calls, contestants_that_fail_are_named_and_the_others_measured) {
    timed_contestant crashing = timed<test::honest>();
    crashing.name = "crashing";
    crashing.measure = [](const call_clock&, const timed_calls_amount&) -> std::string {
        std::abort();
    };
    timed_contestant throwing = timed<test::honest>();
    throwing.name = "throwing";
    throwing.measure = [](const call_clock&, const timed_calls_amount&) -> std::string {
        throw std::bad_alloc{};
    };
    const auto results = time_in_rounds(
        {timed<test::refusing>(), crashing, throwing, timed<test::honest>()}, few_calls, 2);
    EXPECT_EQ(results[0].refused, "the process is not to its liking");
    EXPECT_EQ(results[1].refused, "its process crashed");
    EXPECT_THAT(results[2].refused, HasSubstr("it threw"));
    EXPECT_EQ(results[3].refused, "");
    const part_record part = latency_part(results);
    ASSERT_EQ(part.refused.size(), 3U);
    EXPECT_FALSE(part.refused[0].is_broken);
    EXPECT_TRUE(part.refused[1].is_broken);
    EXPECT_EQ(part.not_measured, "");
    ASSERT_EQ(part.curves.size(), timed_call_count);
    ASSERT_EQ(part.curves[0].series.size(), 1U);
    EXPECT_EQ(part.curves[0].series[0].contestant, "honest");
    EXPECT_EQ(part.curves[0].series[0].total, 2 * 1'000U);
}

TEST(timed_calls, a_heap_that_is_used_up_is_told) {
    timed_contestant contestant = timed<test::broken<test::flaw::null>>();
    contestant.verify = nullptr;
    EXPECT_THAT(measure_once(contestant).refused, HasSubstr("memory was used up"));
}

} // namespace
