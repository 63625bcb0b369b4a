// Concerns: a resource that has no more says so, keeps what it gave, and serves as much again when
// that was freed, in any order, or released; nothing is lost to it or to the arena.
// Plan: as in memory_resource_suite_test.cpp; the same history is run twice, and counted.

#include "conformance/block_set.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace resident::test {
namespace {

constexpr std::size_t sizes[] = {16, 100, 1024, 4096, 10'000, 100'000, 1'500'000};

std::size_t fill(block_set& blocks, std::size_t bytes) {
    while (blocks.allocate(bytes, 16))
        ;
    return blocks.size();
}

} // namespace

TEST_P(refusal_suite, refuses_sizes_that_overflow_and_goes_on) {
    const auto tested = make();
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
    for (std::size_t alignment = 1; alignment <= 2_MiB; alignment *= 8)
        for (const std::size_t bytes :
             {most, most - 1, most - 15, most - 16, most - 4095, most - 4096, most - 65'536,
              most / 2 + 1, most / 2, most / 4, std::size_t{1} << 42, std::size_t{1} << 32})
            EXPECT_EQ(tested->try_allocate(bytes, alignment), nullptr) << bytes << " " << alignment;
    block_set blocks(*tested, GetParam());
    EXPECT_TRUE(blocks.allocate(100, 8));
    EXPECT_STREQ(tested->check(), nullptr);
}

TEST_P(exhaustion_suite, serves_as_much_again_after_exhaustion) {
    const auto tested = make();
    for (const std::size_t bytes : sizes) {
        block_set blocks(*tested, GetParam());
        const std::size_t once = fill(blocks, bytes);
        ASSERT_GT(once, 1u) << bytes;
        EXPECT_TRUE(blocks.are_disjoint());
        blocks.free_all(); // newest first
        EXPECT_GE(fill(blocks, bytes), once) << bytes;
        blocks.free_oldest_first();
        EXPECT_GE(fill(blocks, bytes), once) << bytes;
        std::mt19937 random(7);
        while (blocks.size() > 0)
            blocks.free(random() % blocks.size());
        EXPECT_GE(fill(blocks, bytes), once) << bytes;
        blocks.free_all();
        EXPECT_STREQ(tested->check(), nullptr);
        tested->release(); // a pool of the standard library keeps its chunks for one size
    }
}

TEST_P(exhaustion_suite, serves_after_each_single_free_when_exhausted) {
    const auto tested = make();
    block_set blocks(*tested, GetParam());
    fill(blocks, 3000);
    std::mt19937 random(3);
    for (int i = 0; i < 1000; ++i) {
        blocks.free(random() % blocks.size());
        ASSERT_TRUE(blocks.allocate(3000, 16)) << i;
    }
    EXPECT_FALSE(blocks.allocate(3000, 16));
}

TEST_P(release_suite, release_makes_it_as_new) {
    const auto tested = make();
    const std::size_t held = tested->memory().statistics().in_use;
    block_set blocks(*tested, GetParam());
    for (const std::size_t bytes : sizes) {
        const std::size_t once = fill(blocks, bytes);
        blocks.forget_all();
        tested->release();
        EXPECT_LE(tested->memory().statistics().in_use, held) << bytes;
        EXPECT_STREQ(tested->check(), nullptr);
        EXPECT_EQ(fill(blocks, bytes), once) << bytes;
        blocks.forget_all();
        tested->release();
    }
    EXPECT_STREQ(tested->memory().check(), nullptr);
}

TEST_P(memory_resource_suite, gives_the_arena_back_what_it_took) {
    const auto tested = make();
    const std::size_t held = tested->memory().statistics().in_use;
    {
        block_set blocks(*tested, GetParam());
        for (const std::size_t bytes : sizes)
            ASSERT_TRUE(blocks.allocate(bytes, 8));
        EXPECT_GT(tested->memory().statistics().in_use, held);
    }
    tested->release();
    EXPECT_LE(tested->memory().statistics().in_use, held);
}

} // namespace resident::test
