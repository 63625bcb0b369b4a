// Concerns: what reserve() promises: so many more blocks are there, without a visit to the arena
// and without failing, whatever others take; they stay so when freed; a reserve that fails changes
// nothing; release() ends it.
// Plan: another pool takes the rest of the arena, then everything reserved is asked for, and the
// visits are counted.

#include <resident/unsynchronized_pool_resource.hpp>

#include "pool/hoard.hpp"

#include <gtest/gtest.h>

namespace resident {
namespace {

using namespace resident::literals;
using test::free_all;

class pool_reserve : public testing::TestWithParam<check_level> {
protected:
    /// Allocates `count`, expecting that the arena is left alone, and frees them. Returns: the
    /// blocks.
    void expect_there(std::size_t bytes, std::size_t count, std::size_t alignment = 8) {
        const pool_statistics before = pool_.statistics();
        std::vector<void*> blocks;
        for (std::size_t i = 0; i < count; ++i) {
            blocks.push_back(pool_.try_allocate(bytes, alignment));
            ASSERT_NE(blocks.back(), nullptr) << i << " of " << bytes;
        }
        EXPECT_EQ(pool_.statistics().arena_visits, before.arena_visits) << bytes;
        free_all(pool_, blocks, bytes, alignment);
        EXPECT_EQ(pool_.statistics().failures, before.failures);
        EXPECT_STREQ(pool_.check(), nullptr);
    }
    ~pool_reserve() override { pool_.release(); } // no leaks to report

    /// Another pool takes the rest.
    void take_the_rest() { test::fill(other_, 4096), test::fill(other_, 16); }

    /// Bytes that a full check adds to a block, at most.
    static constexpr std::size_t guards = 64;
    static constexpr std::size_t room = 2_MiB - 2 * test::pool_state_size;
    arena memory_{{.capacity = 2_MiB}};
    unsynchronized_pool_resource pool_{pool_options{.checks = GetParam()}, memory_};
    unsynchronized_pool_resource other_{memory_};
};

TEST_P(pool_reserve, is_there_when_all_else_is_taken) {
    const std::pair<std::size_t, std::size_t> reserves[] = {
        {16, 1000}, {64, 1}, {100, 300}, {1000, 77}, {4096, 20}, {10'000, 9}, {60'000, 3}};
    for (const auto& [bytes, count] : reserves)
        ASSERT_TRUE(pool_.try_reserve(bytes, count, 8)) << bytes;
    take_the_rest();
    ASSERT_EQ(other_.try_allocate(16), nullptr);
    for (const auto& [bytes, count] : reserves)
        expect_there(bytes, count);
    for (const auto& [bytes, count] : reserves) // and again, after all were freed
        expect_there(bytes, count);
}

TEST_P(pool_reserve, is_more_than_what_is_in_use) {
    std::vector<void*> in_use;
    for (int i = 0; i < 500; ++i)
        in_use.push_back(pool_.try_allocate(64, 8));
    ASSERT_TRUE(pool_.try_reserve(64, 400, 8));
    take_the_rest();
    expect_there(64, 400);
    free_all(pool_, in_use, 64);
    expect_there(64, 900); // these were in use when it was made, and stay
    EXPECT_EQ(other_.try_allocate(16), nullptr);
}

TEST_P(pool_reserve, takes_what_is_free_into_account) {
    ASSERT_TRUE(pool_.try_reserve(64, 500, 8));
    const std::size_t held = pool_.statistics().held;
    ASSERT_TRUE(pool_.try_reserve(64, 500, 8)); // they are there
    ASSERT_TRUE(pool_.try_reserve(64, 0, 8));
    EXPECT_EQ(pool_.statistics().held, held);
    ASSERT_TRUE(pool_.try_reserve(64, 1000, 8));
    EXPECT_GT(pool_.statistics().held, held);
    take_the_rest();
    expect_there(64, 1000);
}

TEST_P(pool_reserve, stays_through_any_order_of_frees_and_other_sizes) {
    ASSERT_TRUE(pool_.try_reserve(48, 2000, 8));
    for (int round = 0; round < 3; ++round) {
        std::vector<void*> blocks;
        for (int i = 0; i < 2500; ++i)
            blocks.push_back(pool_.try_allocate(48, 8));
        for (std::size_t i = 0; i < blocks.size(); i += 2)
            pool_.deallocate(blocks[i], 48, 8);
        for (std::size_t i = 1; i < blocks.size(); i += 2)
            pool_.deallocate(blocks[i]);
    }
    // This pool's other sizes want it all, and get none of it.
    const std::vector<void*> large = test::fill(pool_, 4000);
    const std::vector<void*> small = test::fill(pool_, 24);
    EXPECT_EQ(pool_.try_allocate(24), nullptr);
    expect_there(48, 2000);
    free_all(pool_, large, 4000);
    free_all(pool_, small, 24);
}

TEST_P(pool_reserve, fails_without_a_trace) {
    void* const block = pool_.try_allocate(100, 8);
    const pool_statistics before = pool_.statistics();
    EXPECT_FALSE(pool_.try_reserve(100, 1'000'000, 8));
    EXPECT_FALSE(pool_.try_reserve(4096, 1'000'000, 8));
    EXPECT_FALSE(pool_.try_reserve(100, ~std::size_t{0}, 8));
    EXPECT_FALSE(pool_.try_reserve(65'537, 1, 8));
    EXPECT_FALSE(pool_.try_reserve(~std::size_t{0}, 1, 8));
    EXPECT_FALSE(pool_.try_reserve(100, 1, 8192));
#if defined(__cpp_exceptions)
    EXPECT_THROW(pool_.reserve(100, 1'000'000), std::bad_alloc);
#endif
    const pool_statistics after = pool_.statistics();
    EXPECT_LE(after.held, before.held);
    EXPECT_EQ(after.in_use, before.in_use);
    EXPECT_LE(test::class_of(after, 100).free, test::class_of(before, 100).free);
    EXPECT_STREQ(pool_.check(), nullptr);
    pool_.deallocate(block, 100, 8);
    // Nothing is withheld from other sizes.
    EXPECT_NE(pool_.try_allocate(room - guards), nullptr);
}

TEST_P(pool_reserve, fails_without_a_trace_while_free_blocks_are_kept) {
    for (const std::size_t freed : {1u, 7u, 63u}) {
        std::vector<void*> blocks;
        for (int i = 0; i < 64; ++i)
            blocks.push_back(pool_.try_allocate(1000, 8));
        const std::size_t held = pool_.statistics().held;
        for (std::size_t i = 0; i < freed; ++i) {
            pool_.deallocate(blocks.back(), 1000, 8);
            blocks.pop_back();
        }
        EXPECT_FALSE(pool_.try_reserve(1000, 1'000'000, 8));
        EXPECT_LE(pool_.statistics().held, held);
        EXPECT_STREQ(pool_.check(), nullptr);
        EXPECT_NE(pool_.try_allocate(room - held), nullptr);
        pool_.release();
    }
}

TEST_P(pool_reserve, of_nothing_keeps_nothing) {
    void* const block = pool_.try_allocate(100, 8);
    ASSERT_TRUE(pool_.try_reserve(100, 0, 8));
    pool_.deallocate(block, 100, 8);
    EXPECT_NE(pool_.try_allocate(room - guards), nullptr);
}

TEST_P(pool_reserve, a_failure_keeps_what_was_reserved_before) {
    ASSERT_TRUE(pool_.try_reserve(100, 200, 8));
    const std::size_t held = pool_.statistics().held;
    EXPECT_FALSE(pool_.try_reserve(100, 1'000'000, 8));
    EXPECT_EQ(pool_.statistics().held, held);
    take_the_rest();
    expect_there(100, 200);
}

TEST_P(pool_reserve, gets_what_the_pool_itself_keeps_unused) {
    // A slab that is active and empty, and a run held back, are nobody's.
    for (const std::size_t bytes : {64u, 640u, 4096u, 8192u})
        pool_.deallocate(pool_.try_allocate(bytes, 8), bytes, 8);
    EXPECT_TRUE(pool_.try_reserve(4096 - guards, room / 4096, 8));
    EXPECT_STREQ(pool_.check(), nullptr);
}

TEST_P(pool_reserve, ends_with_release) {
    ASSERT_TRUE(pool_.try_reserve(100, 2000, 8));
    EXPECT_GT(pool_.statistics().held, 200'000u);
    pool_.release();
    EXPECT_EQ(pool_.statistics().held, test::pool_state_size);
    EXPECT_NE(pool_.try_allocate(room - guards), nullptr);
    pool_.release();
    ASSERT_TRUE(pool_.try_reserve(100, 10, 8));
    take_the_rest();
    expect_there(100, 10);
}

INSTANTIATE_TEST_SUITE_P(checked, pool_reserve,
                         testing::Values(check_level::off, check_level::cheap, check_level::full),
                         [](const auto& each) { return to_string(each.param); });

} // namespace
} // namespace resident
