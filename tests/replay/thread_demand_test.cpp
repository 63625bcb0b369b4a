// More threads at once than can be had are refused with the number, the event, the limit and the
// remedy; what can be had is not.
#include "replay/crew.hpp"
#include "replay/made_up_program.hpp"
#include "replay/thread_demand.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace resident::test {
namespace {

using replay::why_not_threads;
using testing::HasSubstr;

constexpr replay::trace_summary many{.most_threads = 30'000, .most_threads_event = 59'999};

TEST(ThreadDemand, IsKnownWithTheEvent) {
    made_up_program program;
    program.begin(0);
    for (std::uint32_t thread = 1; thread <= 5; ++thread) {
        program.begin(thread);
        program.end(thread);
    }
    program.begin(6);
    program.begin(7); // event 13
    program.end(7);
    program.begin(8);
    std::string failure;
    const replay::trace_summary summary = replay::summarize(program, failure);
    EXPECT_EQ(summary.most_threads, 3U);
    EXPECT_EQ(summary.most_threads_event, 13U);
}

TEST(ThreadDemand, WhatThereIsRoomForIsNotRefused) {
    EXPECT_EQ(why_not_threads(many, {}, {}), "");
    EXPECT_EQ(why_not_threads(many, {.left = 30'000},
                              {.available_memory = 60'000 * replay::crew::bytes_each}),
              "");
    EXPECT_EQ(why_not_threads({.most_threads = 1}, {.left = 0}, {.available_memory = 0}), "")
        << "it needs no thread";
}

TEST(ThreadDemand, AThreadLimitIsNamedWithItsRemedy) {
    EXPECT_EQ(why_not_threads(many,
                              {.limit_is = "kernel.pid_max",
                               .limit = 32'768,
                               .in_use = 768,
                               .left = 16'000,
                               .remedy = "raise it"},
                              {}),
              "has 30000 threads at once, from event 59999 on; kernel.pid_max is 32768, 768 are in "
              "use, and a replay may start 16000: raise it, or record a run with fewer threads");
}

TEST(ThreadDemand, MemoryIsNamedWithItsRemedy) {
    headroom_snapshot memory{.available_memory = 60'000 * replay::crew::bytes_each - 2};
    EXPECT_THAT(why_not_threads(many, {}, memory),
                testing::AllOf(HasSubstr("30000 threads at once, from event 59999 on, which take "),
                               HasSubstr("a replay may take half of "),
                               HasSubstr("which RAM leaves (MemAvailable): end other programs, or "
                                         "record a run with fewer threads")));
    memory.available_memory = unlimited;
    memory.cgroup_count = 1;
    memory.cgroups[0].limit = 64 << 20;
    std::strcpy(memory.cgroups[0].path.data(), "/service");
    EXPECT_THAT(why_not_threads(many, {}, memory),
                HasSubstr("half of 64 MiB, which memory cgroup /service leaves: raise its limit"));
}

} // namespace
} // namespace resident::test
