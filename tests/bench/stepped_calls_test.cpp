// Concerns: the instructions that are told of a contestant are those that it has, and no other;
// where they cannot be counted, that is told.

#include "bench/known_contestants.hpp"
#include "support/stepped_calls.hpp"
#include "tool/run_tool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace resident;
using namespace resident::bench;
using test::long_winded;
using testing::HasSubstr;

constexpr stepped_amount few_steps{.live = 100, .warm_up = 1'000, .fresh = 20, .warm = 50};

TEST(stepped_calls, the_instructions_of_the_contestant_and_no_other) {
    const auto results =
        count_all({counted<long_winded<0>>(), counted<long_winded<100>>()}, few_steps);
    if (!results[0].counts.refused.empty()) {
        GTEST_SKIP() << results[0].counts.refused;
    }
    ASSERT_EQ(results[0].refused, "");
    ASSERT_EQ(results[1].refused, "");
    for (const char* const label : counted_labels) {
        SCOPED_TRACE(label);
        const os::call_counts& without = results[0].counts[label];
        const os::call_counts& with = results[1].counts[label];
        const bool allocates = std::string_view{label}.starts_with("allocate");
        EXPECT_EQ(with.calls(), std::string_view{label}.ends_with("fresh") ? 20U : 50U);
        EXPECT_EQ(with.median() - without.median(), allocates ? 100U : 200U);
        EXPECT_EQ(with.max() - without.max(), allocates ? 100U : 200U);
        EXPECT_EQ(with.percentile(1), with.max()) << "each call is like the others";
#ifdef __OPTIMIZE__
        EXPECT_LE(without.max(), 3U) << "what hands the arguments over";
#endif
    }
    const part_record part = bounds_part(results);
    ASSERT_EQ(part.curves.size(), 4U);
    EXPECT_EQ(part.curves[0].series[1].buckets.size(), 1U);
    EXPECT_EQ(part.curves[0].series[1].buckets[0].count, 50U);
}

struct slow_to_begin : long_winded<5> {
    static constexpr bool first_calls_are_long = true;
};

TEST(stepped_calls, long_first_calls_are_left_to_full_and_that_is_said) {
    stepped_amount quick = few_steps;
    quick.leave_out_long_first_calls = true;
    const auto results = count_all({counted<slow_to_begin>(), counted<long_winded<5>>()}, quick);
    if (!results[0].counts.refused.empty() || !results[0].refused.empty()) {
        GTEST_SKIP() << results[0].refused;
    }
    EXPECT_EQ(results[0].counts.find("allocate, fresh"), nullptr);
    EXPECT_EQ(results[0].counts["allocate"].calls(), 50U);
    EXPECT_EQ(results[1].counts["allocate, fresh"].calls(), 20U);
    EXPECT_THAT(bounds_text(results), HasSubstr("--full"));
    const part_record part = bounds_part(results);
    for (const cell_record& cell : part.tables[0].cells) {
        const bool left_out =
            cell.row == results[0].name && cell.column.find("fresh") != std::string::npos;
        EXPECT_TRUE(left_out || cell.median) << cell.row << ", " << cell.column;
    }
}

TEST(stepped_calls, a_contestant_that_fails_is_named) {
    auto broken = counted<test::broken<test::flaw::overlap>>();
    broken.count = [](const stepped_amount&) -> os::instruction_counts { std::abort(); };
    const auto results = count_all({broken, counted<long_winded<5>>()}, few_steps);
    EXPECT_THAT(results[0].refused, HasSubstr("operation 500"));
    EXPECT_THAT(bounds_text(results), HasSubstr("Not counted: broken: operation 500"));
    EXPECT_LE(test::widest_line(bounds_text(results)), 80U) << results[0].refused;
    ASSERT_EQ(bounds_part(results).refused.empty(), false);
    EXPECT_EQ(bounds_part(results).refused[0].name, "broken");
    EXPECT_TRUE(bounds_part(results).refused[0].is_broken);
}

TEST(stepped_calls, who_dies_while_it_is_stepped_is_broken) {
    auto dying = counted<long_winded<5>>();
    dying.count = [](const stepped_amount&) {
        return os::count_instructions([](os::stepper&) { std::abort(); });
    };
    auto stopped = counted<long_winded<5>>();
    stopped.count = [](const stepped_amount&) {
        return os::count_instructions([](os::stepper&) { ::raise(SIGKILL); });
    };
    const auto results = count_all({dying, stopped}, few_steps);
    if (results[0].refused.find("may not trace") != std::string::npos) {
        GTEST_SKIP() << results[0].refused;
    }
    EXPECT_THAT(results[0].refused, HasSubstr("ended by signal 6"));
    EXPECT_TRUE(results[0].is_broken);
    EXPECT_THAT(results[1].refused, HasSubstr("ended by signal 9"));
    EXPECT_FALSE(results[1].is_broken);
}

TEST(stepped_calls, where_nothing_can_be_counted_the_part_says_why) {
    auto contestant = counted<long_winded<5>>();
    contestant.count = [](const stepped_amount&) {
        return os::instruction_counts{.refused = "not permitted here"};
    };
    const part_record part = bounds_part(count_all({contestant}, few_steps));
    EXPECT_EQ(part.not_measured, "not permitted here");
    EXPECT_TRUE(part.tables.empty());
}

} // namespace
