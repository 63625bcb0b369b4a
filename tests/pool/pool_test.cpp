// Concerns: what a user of the pool relies on beside the conformance suite: freeing without a size,
// usable_size, owns, several pools over one arena, memory that goes from one size to another
// whichever way it was freed, release(), the failure observer.
// Plan: direct calls; bytes and blocks are counted against what the arena has.

#include <resident/unsynchronized_pool_resource.hpp>

#include "pool/hoard.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace resident {
namespace {

using namespace resident::literals;
using test::fill;
using test::free_all;
using test::pool_state_size;

class pool : public testing::Test {
protected:
    /// Expects that the pool, with nothing in use, serves all of the arena in any size.
    void expect_as_new() {
        EXPECT_EQ(pool_.statistics().in_use, 0u);
        const std::size_t left = room();
        for (const std::size_t bytes : {std::size_t{1024}, std::size_t{64}, 4_KiB, left}) {
            const std::vector<void*> blocks = fill(pool_, bytes);
            EXPECT_EQ(blocks.size(), left / bytes) << bytes;
            free_all(pool_, blocks, bytes);
        }
        EXPECT_STREQ(pool_.check(), nullptr);
        EXPECT_STREQ(memory_.check(), nullptr);
    }
    /// Bytes that this pool can have.
    [[nodiscard]] std::size_t room() const {
        const arena_statistics all = memory_.statistics();
        return all.capacity - (all.in_use - pool_.statistics().held) - pool_state_size;
    }

    arena memory_{{.capacity = 1_MiB}};
    unsynchronized_pool_resource pool_{memory_};
};

TEST_F(pool, hands_out_all_of_the_arena_but_its_state) {
    EXPECT_EQ(room(), 1_MiB - pool_state_size);
    expect_as_new();
    EXPECT_EQ(pool_.try_allocate(room() + 1), nullptr);
}

TEST_F(pool, frees_without_being_told_the_size) {
    for (const std::size_t alignment : {1u, 64u, 4096u, 65536u})
        for (const std::size_t bytes :
             {0u, 1u, 16u, 100u, 4096u, 5000u, 65'536u, 65'537u, 300'000u}) {
            void* const first = pool_.try_allocate(bytes, alignment);
            void* const second = pool_.try_allocate(bytes, alignment);
            ASSERT_NE(second, nullptr) << bytes << " at " << alignment;
            pool_.deallocate(first);
            pool_.deallocate(second);
            EXPECT_EQ(pool_.statistics().in_use, 0u);
        }
    expect_as_new();
}

TEST_F(pool, every_usable_byte_may_be_written) {
    std::vector<void*> blocks;
    for (std::size_t bytes = 1; bytes < 100'000; bytes += 1 + bytes / 3) {
        void* const block = pool_.try_allocate(bytes, 8);
        ASSERT_NE(block, nullptr);
        EXPECT_GE(pool_.usable_size(block), bytes);
        EXPECT_LE(pool_.usable_size(block), std::max<std::size_t>(16, bytes + bytes / 2 + 8));
        std::memset(block, static_cast<int>(blocks.size()), pool_.usable_size(block));
        blocks.push_back(block);
    }
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        const auto* const bytes = static_cast<unsigned char*>(blocks[i]);
        EXPECT_EQ(bytes[0], static_cast<unsigned char>(i));
        EXPECT_EQ(bytes[pool_.usable_size(blocks[i]) - 1], static_cast<unsigned char>(i));
    }
    for (void* block : blocks)
        pool_.deallocate(block);
    expect_as_new();
}

TEST_F(pool, owns_its_blocks_and_nothing_else) {
    unsynchronized_pool_resource other{memory_};
    for (const std::size_t bytes : {16u, 100u, 4096u, 10'000u, 200'000u}) {
        auto* const mine = static_cast<std::byte*>(pool_.try_allocate(bytes, 8));
        auto* const theirs = static_cast<std::byte*>(other.try_allocate(bytes, 8));
        EXPECT_TRUE(pool_.owns(mine));
        EXPECT_TRUE(other.owns(theirs));
        for (std::size_t at = 0; at < bytes; at += 8)
            ASSERT_FALSE(pool_.owns(theirs + at)) << at << " of " << bytes;
        pool_.deallocate(mine, bytes, 8);
        other.deallocate(theirs, bytes, 8);
    }
    void* const run = memory_.try_allocate(64_KiB);
    EXPECT_FALSE(pool_.owns(run));
    EXPECT_FALSE(pool_.owns(&memory_));
    EXPECT_FALSE(pool_.owns(nullptr));
    memory_.deallocate_run(run);
}

TEST_F(pool, shares_the_arena_with_others) {
    unsynchronized_pool_resource other{memory_};
    // Each takes what the other gives back, slab by slab.
    const std::vector<void*> mine = fill(pool_, 64);
    EXPECT_EQ(other.try_allocate(64), nullptr);
    free_all(pool_, mine, 64);
    const std::vector<void*> theirs = fill(other, 1024);
    // All but a slab that stays active, which only its own pool can give back.
    EXPECT_GE(theirs.size() * 1024, 1_MiB - 2 * pool_state_size - 4_KiB);
    EXPECT_EQ(pool_.statistics().in_use, 0u);
    free_all(other, theirs, 1024);
    EXPECT_STREQ(pool_.check(), nullptr);
    EXPECT_STREQ(other.check(), nullptr);
    other.release();
    pool_.release();
    EXPECT_EQ(memory_.statistics().in_use, 2 * pool_state_size);
}

TEST_F(pool, releasing_one_leaves_the_others) {
    unsynchronized_pool_resource other{memory_};
    std::vector<void*> theirs;
    for (int i = 0; i < 500; ++i) {
        (void)pool_.try_allocate(100);
        theirs.push_back(other.try_allocate(100));
        std::memset(theirs.back(), i, 100);
    }
    pool_.release();
    EXPECT_EQ(memory_.statistics().in_use, pool_state_size + other.statistics().held);
    for (int i = 0; i < 500; ++i)
        EXPECT_EQ(static_cast<unsigned char*>(theirs[static_cast<std::size_t>(i)])[99],
                  static_cast<unsigned char>(i));
    free_all(other, theirs, 100, 16);
    EXPECT_STREQ(other.check(), nullptr);
    EXPECT_EQ(other.statistics().in_use, 0u);
    other.release();
}

TEST_F(pool, empty_slabs_serve_other_sizes_in_whatever_order_they_became_empty) {
    std::mt19937 random(5);
    for (const char* order : {"newest first", "oldest first", "at random", "without a size"}) {
        SCOPED_TRACE(order);
        std::vector<void*> blocks = fill(pool_, 64);
        if (*order == 'n')
            std::reverse(blocks.begin(), blocks.end());
        if (*order == 'a' || *order == 'w')
            std::shuffle(blocks.begin(), blocks.end(), random);
        for (void* block : blocks)
            *order == 'w' ? pool_.deallocate(block) : pool_.deallocate(block, 64, 8);
        expect_as_new();
    }
}

TEST_F(pool, cached_blocks_hold_no_slab_back) {
    // Blocks of every slab in the cache, by freeing some of each; then all others without a size,
    // which passes the cache by.
    std::vector<void*> blocks = fill(pool_, 64);
    std::mt19937 random(9);
    for (int round = 0; round < 50; ++round) {
        std::shuffle(blocks.begin(), blocks.end(), random);
        for (std::size_t i = 0; i < 3 + static_cast<std::size_t>(round); ++i) {
            pool_.deallocate(blocks.back(), 64, 8);
            blocks.pop_back();
        }
        blocks.push_back(pool_.try_allocate(64, 8));
        for (std::size_t i = 0; i < 5; ++i) {
            pool_.deallocate(blocks.back(), 64, 8);
            blocks.pop_back();
        }
        ASSERT_STREQ(pool_.check(), nullptr) << round;
    }
    for (void* block : blocks)
        pool_.deallocate(block);
    expect_as_new();
}

TEST_F(pool, larger_blocks_serve_when_nothing_else_is_left) {
    std::vector<void*> blocks = fill(pool_, 64);
    // One of each slab stays, so that no slab goes back: 48 bytes must get a block of 64.
    std::vector<void*> kept;
    for (std::size_t i = 0; i < blocks.size(); ++i)
        if (i % 64 == 0)
            kept.push_back(blocks[i]);
        else
            pool_.deallocate(blocks[i], 64, 8);
    const std::vector<void*> borrowed = fill(pool_, 48);
    EXPECT_EQ(borrowed.size(), blocks.size() - kept.size());
    EXPECT_EQ(pool_.usable_size(borrowed.front()), 64u);
    EXPECT_STREQ(pool_.check(), nullptr);
    free_all(pool_, borrowed, 48);
    free_all(pool_, kept, 64);
    expect_as_new();
}

TEST_F(pool, release_frees_everything_and_goes_on) {
    for (const std::size_t bytes : {16u, 64u, 100u, 4096u, 10'000u, 200'000u}) {
        for (int i = 0; i < 3; ++i)
            ASSERT_NE(pool_.try_allocate(bytes), nullptr);
        pool_.deallocate(pool_.try_allocate(bytes), bytes);
    }
    pool_.release();
    EXPECT_EQ(memory_.statistics().in_use, pool_state_size);
    EXPECT_EQ(pool_.statistics().held, pool_state_size);
    EXPECT_EQ(pool_.statistics().cached, 0u);
    expect_as_new();
    pool_.release();
    pool_.release(); // with nothing there
    expect_as_new();
}

TEST_F(pool, tells_each_refusal_once_with_its_statistics) {
    struct told {
        int times = 0;
        std::size_t bytes = 0;
        std::size_t alignment = 0;
        pool_statistics statistics;
    } observed;
    unsynchronized_pool_resource watched{
        pool_options{.on_failure = {.notify =
                                        [](void* context, std::size_t bytes, std::size_t alignment,
                                           const pool_statistics& statistics) noexcept {
                                            auto& into = *static_cast<told*>(context);
                                            into = {into.times + 1, bytes, alignment, statistics};
                                        },
                                    .context = &observed}},
        memory_};
    EXPECT_EQ(watched.try_allocate(2_MiB, 64), nullptr);
    EXPECT_EQ(observed.times, 1);
    EXPECT_EQ(observed.bytes, 2_MiB);
    EXPECT_EQ(observed.alignment, 64u);
    EXPECT_EQ(observed.statistics.failures, 1u);
    EXPECT_EQ(observed.statistics.held, pool_state_size);
    const std::vector<void*> blocks = fill(watched, 500);
    EXPECT_EQ(observed.times, 2);
    EXPECT_EQ(observed.statistics.in_use, blocks.size() * 512);
    free_all(watched, blocks, 500);
}

TEST_F(pool, a_size_known_when_compiling_is_the_same_request) {
    void* const block = pool_.try_allocate_block<100, 4>();
    EXPECT_EQ(pool_.usable_size(block), 112u);
    pool_.deallocate(block, 100, 4);
    EXPECT_EQ(pool_.try_allocate(100, 4), block);
    pool_.deallocate_block<100, 4>(block);
    void* const run = pool_.try_allocate_block<100'000, 8>();
    EXPECT_EQ(pool_.usable_size(run), 100_KiB);
    pool_.deallocate_block<100'000, 8>(run);
    void* const aligned = pool_.try_allocate_block<8, 8192>();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(aligned) % 8192, 0u);
    pool_.deallocate(aligned, 8, 8192);
    EXPECT_EQ((pool_.try_allocate_block<2'000'000, 8>()), nullptr);
    expect_as_new();
}

TEST_F(pool, follows_an_arena_that_grows) {
    arena growing{{.capacity = 256_KiB, .max_capacity = 4_MiB, .pages = page_kind::base}};
    unsynchronized_pool_resource over{growing};
    const std::vector<void*> before = fill(over, 4096);
    ASSERT_TRUE(growing.try_grow(1_MiB));
    const std::vector<void*> after = fill(over, 4096);
    EXPECT_GE(after.size(), 1_MiB / 4096);
    EXPECT_TRUE(over.owns(after.front()));
    free_all(over, after, 4096);
    free_all(over, before, 4096);
    const std::vector<void*> small = fill(over, 64);
    EXPECT_GE(small.size() * 64, 1_MiB + 240_KiB);
    free_all(over, small, 64);
    EXPECT_STREQ(over.check(), nullptr);
}

} // namespace
} // namespace resident
