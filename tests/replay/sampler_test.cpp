// Instructions of sampled calls: a source of known instructions is told as such; how many calls
// are taken, and that they are spread over the trace.
#include "os/known_instructions.hpp"
#include "replay/made_up_program.hpp"
#include "replay/sampler.hpp"
#include "support/build.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace resident::test {
namespace {

TEST(SamplePlan, TakesOneOfEachStretch) {
    replay::sample_plan plan(10'000, 100);
    std::size_t chosen = 0;
    for (int stretch = 0; stretch < 100; ++stretch) {
        std::size_t here = 0;
        for (int call = 0; call < 100; ++call)
            here += plan.next() ? 1 : 0;
        EXPECT_EQ(here, 1U);
        chosen += here;
    }
    EXPECT_EQ(chosen, 100U);
}

TEST(SamplePlan, TakesAllOfFewCalls) {
    replay::sample_plan plan(10, 100);
    for (int call = 0; call < 10; ++call)
        EXPECT_TRUE(plan.next());
}

#if defined(__x86_64__)

/// Each tenth block takes 1000 rounds of 2 instructions, the others 100.
struct counted_source {
    static constexpr bool gives_memory = false;
    void* allocate(std::size_t, std::uint8_t) noexcept {
        loop(++calls % 10 == 0 ? 1000 : 100);
        return this;
    }
    static void deallocate(void*, std::size_t, std::uint8_t) noexcept { loop(50); }
    void* reallocate(void* block, std::size_t, std::size_t, std::uint8_t, std::uint8_t) noexcept {
        return block;
    }
    unsigned calls = 0;
};

class Sampler : public instruction_counter {};

TEST_F(Sampler, KnownInstructionsAreToldAsSuch) {
    made_up_program program;
    for (int block = 0; block < 300; ++block)
        program.free(0, program.allocate(0, 64));
    const os::instruction_counts counts = os::count_instructions([&](os::stepper& stepper) {
        std::vector<replay::operation> room(1024);
        replay::decoder decoder(program);
        replay::chunk part{.operations = room};
        decoder.next(part);
        const std::unique_ptr<replay::block_slot[]> slots(
            new replay::block_slot[decoder.most_slots()]());
        counted_source source;
        replay::sampler<counted_source> sampler(
            source, {.operations = room, .slots = {slots.get(), decoder.most_slots()}}, stepper,
            {300, 300}, {300, 30});
        if (sampler.run(part.count, part.first_event).what != replay::finding::kind::none)
            os::stepper::fail("refused");
    });
    ASSERT_EQ(counts.failure, "");
    const os::call_counts& allocations = counts[replay::allocate_label];
    EXPECT_EQ(allocations.calls(), 300U);
    EXPECT_EQ(counts[replay::free_label].calls(), 30U);
    if (sanitized)
        GTEST_SKIP() << "a sanitizer adds instructions";
    EXPECT_GE(allocations.median(), 200U);
    EXPECT_LE(allocations.median(), 200U + 30);
    EXPECT_EQ(allocations.percentile(99), allocations.max());
    EXPECT_GE(allocations.max(), 2000U);
    EXPECT_LE(allocations.max(), 2000U + 30);
    EXPECT_GE(counts[replay::free_label].max(), 100U);
    EXPECT_LE(counts[replay::free_label].max(), 100U + 30);
}

#endif

} // namespace
} // namespace resident::test
