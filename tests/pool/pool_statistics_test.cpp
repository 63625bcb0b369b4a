// Concerns: each field of pool_statistics is what its comment says.
// Plan: small histories whose figures are computed by hand; a request of largest_block at many
// moments of a long one.

#include <resident/unsynchronized_pool_resource.hpp>

#include "pool/hoard.hpp"

#include <gtest/gtest.h>

#include <random>

namespace resident {
namespace {

using namespace resident::literals;
using test::class_of;
using test::pool_state_size;

class statistics_of_a_pool : public testing::Test {
protected:
    [[nodiscard]] pool_statistics now() const { return pool_.statistics(); }
    arena memory_{{.capacity = 1_MiB}};
    unsynchronized_pool_resource pool_{memory_};
};

TEST_F(statistics_of_a_pool, say_nothing_of_a_new_one_but_its_state) {
    const pool_statistics all = now();
    EXPECT_EQ(all.held, pool_state_size);
    EXPECT_EQ(all.peak_held, pool_state_size);
    EXPECT_EQ(all.largest_block, 1_MiB - pool_state_size);
    EXPECT_EQ(all.in_use, 0u);
    EXPECT_EQ(all.requested, 0u);
    EXPECT_EQ(all.cached, 0u);
    EXPECT_EQ(all.upstream, 0u);
    EXPECT_EQ(all.failures, 0u);
    EXPECT_EQ(all.arena_visits, 0u);
}

TEST_F(statistics_of_a_pool, list_the_classes_by_size) {
    const pool_statistics all = now();
    EXPECT_EQ(all.classes.front().block_size, 16u);
    EXPECT_EQ(all.classes.back().block_size, 65'536u);
    for (std::size_t i = 1; i < all.classes.size(); ++i) {
        const std::uint32_t smaller = all.classes[i - 1].block_size;
        const std::uint32_t larger = all.classes[i].block_size;
        EXPECT_LT(smaller, larger);
        EXPECT_LE(larger - smaller, std::max(smaller / 4, 16u));
    }
}

TEST_F(statistics_of_a_pool, count_blocks_and_bytes) {
    // 1 MiB is small enough for slabs of one granule: 64 blocks of 64 bytes.
    void* blocks[3];
    for (void*& block : blocks)
        block = pool_.try_allocate(50, 8);
    pool_statistics all = now();
    EXPECT_EQ(all.held, pool_state_size + 4_KiB);
    EXPECT_EQ(all.in_use, 192u);
    EXPECT_EQ(all.cached, 61u * 64);
    EXPECT_EQ(class_of(all, 64).in_use, 3u);
    EXPECT_EQ(class_of(all, 64).free, 61u);
    EXPECT_EQ(all.arena_visits, 1u);
    pool_.deallocate(blocks[1], 50, 8);
    all = now();
    EXPECT_EQ(all.in_use, 128u);
    EXPECT_EQ(class_of(all, 64).in_use, 2u);
    EXPECT_EQ(class_of(all, 64).free, 62u);
    EXPECT_LE(class_of(all, 64).cached, class_of(all, 64).free);
    EXPECT_EQ(all.arena_visits, 1u);
    for (const size_class_statistics& each : all.classes)
        EXPECT_TRUE(each.block_size == 64 || each.in_use + each.free + each.cached == 0)
            << each.block_size;
    pool_.deallocate(blocks[0], 50, 8);
    pool_.deallocate(blocks[2], 50, 8);
    EXPECT_EQ(now().in_use, 0u);
    EXPECT_EQ(now().held,
              pool_state_size + 4_KiB); // the slab stays active until the memory is wanted
}

TEST_F(statistics_of_a_pool, count_runs) {
    void* const run = pool_.try_allocate(100'000);
    EXPECT_EQ(now().in_use, 100_KiB);
    EXPECT_EQ(now().held, pool_state_size + 100_KiB);
    EXPECT_EQ(now().largest_block, 1_MiB - pool_state_size - 100_KiB);
    EXPECT_EQ(now().arena_visits, 1u);
    pool_.deallocate(run, 100'000);
    EXPECT_EQ(now().in_use, 0u);
    EXPECT_EQ(now().held, pool_state_size);
    EXPECT_EQ(now().peak_held, pool_state_size + 100_KiB);
    EXPECT_EQ(now().arena_visits, 2u);
}

TEST_F(statistics_of_a_pool, count_refusals_once_each) {
    EXPECT_EQ(pool_.try_allocate(2_MiB), nullptr);
    EXPECT_EQ(now().failures, 1u);
    EXPECT_EQ(pool_.try_allocate(16, 4_MiB), nullptr);
    EXPECT_EQ(now().failures, 2u);
    const std::vector<void*> blocks = test::fill(pool_, 16);
    EXPECT_EQ(now().failures, 3u);
    test::free_all(pool_, blocks, 16);
    EXPECT_FALSE(pool_.try_reserve(64, 1'000'000));
    EXPECT_EQ(now().failures, 3u); // no request for a block
}

TEST_F(statistics_of_a_pool, say_what_was_requested_where_calls_are_checked) {
    unsynchronized_pool_resource checked{pool_options{.checks = check_level::full}, memory_};
    void* const small = checked.try_allocate(50, 8);
    EXPECT_EQ(checked.statistics().requested, 50u);
    void* const large = checked.try_allocate(100'000, 8);
    EXPECT_EQ(checked.statistics().requested, 100'050u);
    EXPECT_GE(checked.statistics().in_use, 100'050u);
    checked.deallocate(small, 50, 8);
    EXPECT_EQ(checked.statistics().requested, 100'000u);
    checked.deallocate(large, 100'000, 8);
    EXPECT_EQ(checked.statistics().requested, 0u);
}

/// At many moments, full ones among them: a request of largest_block succeeds.
TEST_F(statistics_of_a_pool, largest_block_can_be_had) {
    std::mt19937 random(11);
    std::vector<std::pair<void*, std::size_t>> blocks;
    for (int i = 0; i < 20'000; ++i) {
        if (i % 50 == 0) {
            const std::size_t largest = now().largest_block;
            void* const block = largest == 0 ? nullptr : pool_.try_allocate(largest, 8);
            ASSERT_EQ(block == nullptr, largest == 0) << largest << " after " << i;
            if (block != nullptr)
                pool_.deallocate(block, largest, 8);
        }
        const std::size_t bytes =
            std::size_t{1} + (random() % 64 == 0 ? random() % 100'000 : random() % 3000);
        const bool fills = i / 2000 % 2 == 0;
        if (random() % 8 < (fills ? 6u : 2u)) {
            if (void* const block = pool_.try_allocate(bytes, 8))
                blocks.emplace_back(block, bytes);
        } else if (!blocks.empty()) {
            std::swap(blocks[random() % blocks.size()], blocks.back());
            pool_.deallocate(blocks.back().first, blocks.back().second, 8);
            blocks.pop_back();
        }
    }
    EXPECT_GT(now().failures, 0u);
    EXPECT_STREQ(pool_.check(), nullptr);
    for (const auto& [block, bytes] : blocks)
        pool_.deallocate(block, bytes, 8);
}

TEST_F(statistics_of_a_pool, largest_block_allows_for_what_checks_add) {
    unsynchronized_pool_resource checking{{.checks = check_level::full}, memory_};
    const std::size_t largest = checking.statistics().largest_block;
    EXPECT_EQ(checking.try_allocate(largest + 1), nullptr);
    void* const block = checking.try_allocate(largest);
    ASSERT_NE(block, nullptr);
    checking.deallocate(block, largest);
}

/// Requests are aligned to 16 bytes if nothing else is said; blocks of 24 bytes are to 8.
TEST_F(statistics_of_a_pool, largest_block_is_one_of_the_usual_alignment) {
    std::vector<void*> blocks;
    while (void* const block = pool_.try_allocate(24, 8))
        blocks.push_back(block);
    pool_.deallocate(blocks.back(), 24, 8);
    EXPECT_EQ(now().largest_block, 0u);
    EXPECT_EQ(pool_.try_allocate(24), nullptr);
    blocks.back() = pool_.try_allocate(24, 8);
    EXPECT_NE(blocks.back(), nullptr);
    for (void* const block : blocks)
        pool_.deallocate(block, 24, 8);
}

} // namespace
} // namespace resident
