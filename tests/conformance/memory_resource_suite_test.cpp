// Concerns: what every memory resource promises: blocks of the size and alignment asked for, apart
// from each other, whose content stays; freed memory that serves again; equality.
// Plan: the suite knows nothing but tested_resource; it runs on the resources of this library, in
// <resource>_conformance_test.cpp, and on those of the standard library, which tests the suite.
// What happens when memory runs out is in exhaustion_suite_test.cpp.

#include "conformance/block_set.hpp"

#include <gtest/gtest.h>

#include <random>

namespace resident::test {

TEST_P(memory_resource_suite, aligns_from_1_byte_to_2_MiB) {
    const auto tested = make();
    for (std::size_t alignment = 1; alignment <= 2_MiB; alignment *= 2) {
        block_set blocks(*tested, GetParam());
        for (const std::size_t bytes :
             {std::size_t{0}, std::size_t{1}, alignment / 2 + 1, alignment, std::size_t{5000}}) {
            if (alignment + bytes >= 1_MiB) // one at a time: together they are more than the arena
                blocks.free_all(), tested->release();
            ASSERT_TRUE(blocks.allocate(bytes, alignment)) << bytes << " at " << alignment;
        }
        EXPECT_GT(blocks.size(), 0u) << alignment;
        EXPECT_TRUE(blocks.are_disjoint()) << alignment;
        blocks.free_all();
        EXPECT_STREQ(tested->check(), nullptr);
        tested->release(); // a monotonic resource could not serve all of them
    }
}

TEST_P(memory_resource_suite, serves_every_size_near_a_power_of_two) {
    const auto tested = make();
    block_set blocks(*tested, GetParam());
    for (unsigned power = 0; power <= 20; ++power) {
        const std::size_t middle = std::size_t{1} << power;
        for (std::size_t bytes = middle - std::min<std::size_t>(middle, 3); bytes <= middle + 3;
             ++bytes) {
            // The larger ones one at a time: together they are more than the arena.
            if (power > 16)
                blocks.free_all(), tested->release();
            ASSERT_TRUE(blocks.allocate(bytes, 1)) << bytes;
        }
        EXPECT_TRUE(blocks.are_disjoint()) << power;
    }
    blocks.free_all();
    EXPECT_STREQ(tested->check(), nullptr);
}

TEST_P(memory_resource_suite, zero_bytes_are_a_block_like_any_other) {
    const auto tested = make();
    block_set blocks(*tested, GetParam());
    for (std::size_t alignment = 1; alignment <= 4096; alignment *= 2)
        for (int i = 0; i < 3; ++i)
            ASSERT_TRUE(blocks.allocate(0, alignment)) << alignment;
    EXPECT_TRUE(blocks.are_disjoint());
    blocks.free_all();
    EXPECT_STREQ(tested->check(), nullptr);
}

TEST_P(memory_resource_suite, keeps_what_was_written_while_others_come_and_go) {
    const auto tested = make();
    block_set blocks(*tested, GetParam());
    std::mt19937 random(1);
    for (int i = 0; i < 4000; ++i) {
        const bool frees = blocks.size() > 0 && (random() % 16 < 7 || blocks.size() > 200);
        if (frees) {
            blocks.free(random() % blocks.size());
            continue;
        }
        const std::size_t largest = std::size_t{1} << random() % 12;
        const std::size_t alignment = std::size_t{1} << random() % 8;
        if (!blocks.allocate(random() % largest, alignment)) {
            ASSERT_FALSE(GetParam().reuses);
            break;
        }
    }
    EXPECT_TRUE(blocks.are_disjoint());
    blocks.free_oldest_first();
    EXPECT_STREQ(tested->check(), nullptr);
}

TEST_P(reuse_suite, serves_freed_memory_again) {
    const auto tested = make();
    for (const std::size_t bytes : {24u, 512u, 5000u, 40'000u, 300'000u}) {
        block_set blocks(*tested, GetParam());
        // In all four times what there is.
        for (std::size_t served = 0; served < 4 * tested_resource::capacity; served += 8 * bytes) {
            for (int i = 0; i < 8; ++i)
                ASSERT_TRUE(blocks.allocate(bytes, 8)) << bytes << " after " << served;
            blocks.free_oldest_first();
        }
    }
}

TEST_P(memory_resource_suite, equals_itself_alone) {
    const auto tested = make();
    const auto other = make();
    EXPECT_TRUE(tested->resource().is_equal(tested->resource()));
    EXPECT_TRUE(tested->resource() == tested->resource());
    EXPECT_FALSE(tested->resource().is_equal(other->resource()));
    EXPECT_FALSE(tested->resource().is_equal(*std::pmr::new_delete_resource()));
}

TEST_P(memory_resource_suite, carries_the_containers_of_std_pmr) {
    const auto tested = make();
    std::pmr::unordered_map<int, std::pmr::string> names(&tested->resource());
    for (int i = 0; i < 1000; ++i)
        names.emplace(i, "a name too long for the string itself: " + std::to_string(i));
    for (int i = 0; i < 1000; i += 2)
        names.erase(i);
    EXPECT_EQ(names.size(), 500u);
    EXPECT_EQ(names.at(999), "a name too long for the string itself: 999");
    EXPECT_EQ(names.at(1).get_allocator().resource(), &tested->resource());
}

} // namespace resident::test
