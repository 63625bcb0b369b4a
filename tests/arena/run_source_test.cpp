// Concerns: the pools' door to an arena: runs by granule index that agree with addresses, counters
// and growth; shrinking; a forked child; many threads at once, through both doors.
// Plan: an arena, its source, and arena's own statistics and check() as the judge.
#include <resident/resident.hpp>

#include "arena/run_source.hpp"
#include "support/child.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <thread>
#include <vector>

namespace resident {
namespace {

using namespace resident::literals;
using detail::arena_access;
using detail::run_source;

constexpr std::uint32_t none = run_source::none;

TEST(run_source, hands_out_granules_of_the_arena) {
    arena memory{{.capacity = 1_MiB}};
    run_source& source = arena_access::runs(memory);
    EXPECT_EQ(source.begin(), memory.memory().data());
    EXPECT_EQ(source.capacity(), 256u);
    EXPECT_EQ(source.largest_free_run(), 256u);
    const std::uint32_t run = source.allocate_granules(16);
    ASSERT_NE(run, none);
    EXPECT_EQ(memory.statistics().in_use, 64_KiB);
    EXPECT_EQ(memory.statistics().runs_in_use, 1u);
    EXPECT_EQ(source.largest_free_run(), 240u);
    std::memset(source.begin() + run * arena::granule_size, 1, 64_KiB);
    // Either door takes back what the other gave.
    memory.deallocate_run(source.begin() + run * arena::granule_size);
    auto* other = static_cast<std::byte*>(memory.allocate(10'000));
    source.deallocate_granules(
        static_cast<std::uint32_t>((other - source.begin()) / arena::granule_size));
    EXPECT_EQ(memory.statistics().in_use, 0u);
    EXPECT_EQ(source.largest_free_run(), 256u);
    EXPECT_EQ(memory.check(), nullptr);
}

TEST(run_source, refuses_more_than_there_is_and_counts_it) {
    arena memory{{.capacity = 1_MiB}};
    run_source& source = arena_access::runs(memory);
    EXPECT_EQ(source.allocate_granules(257), none);
    EXPECT_EQ(source.allocate_granules(detail::run_allocator::max_granules), none);
    EXPECT_EQ(memory.statistics().failures, 2u);
    EXPECT_NE(source.allocate_granules(256), none); // the mutex was left free
    EXPECT_EQ(source.largest_free_run(), 0u);
    EXPECT_EQ(source.allocate_granules(1), none);
    EXPECT_EQ(memory.statistics().failures, 3u);
}

TEST(run_source, splits_and_joins_runs_in_place) {
    arena memory{{.capacity = 1_MiB}};
    run_source& source = arena_access::runs(memory);
    auto* const run = static_cast<std::byte*>(memory.allocate(64_KiB));
    auto* const behind = static_cast<std::byte*>(memory.allocate(4_KiB));
    ASSERT_TRUE(source.split(run, 4_KiB));
    ASSERT_TRUE(source.split(run + 4_KiB, 20_KiB));
    EXPECT_EQ(memory.statistics().runs_in_use, 4u);
    EXPECT_EQ(memory.statistics().in_use, 68_KiB);
    EXPECT_STREQ(memory.check(), nullptr);
    // What cannot be leaves everything as it was.
    EXPECT_FALSE(source.split(run, 4_KiB));            // no longer than that
    EXPECT_FALSE(source.split(run + 4_KiB, 5000));     // no granule begins there
    EXPECT_FALSE(source.split(run + 8_KiB, 4_KiB));    // no run does
    EXPECT_FALSE(source.split(run + 4_KiB, 0));        // nothing would be left
    EXPECT_FALSE(source.join(run, run + 24_KiB));      // not neighbours
    EXPECT_FALSE(source.join(run + 24_KiB, run));      // nor in that order
    EXPECT_FALSE(source.join(behind, behind + 4_KiB)); // free
    EXPECT_EQ(memory.statistics().runs_in_use, 4u);
    // The middle goes and comes back; then all become one.
    source.deallocate(run + 4_KiB, 20_KiB);
    EXPECT_FALSE(source.join(run, run + 4_KiB));
    EXPECT_EQ(memory.allocate(20_KiB), run + 4_KiB);
    ASSERT_TRUE(source.join(run + 4_KiB, run + 24_KiB));
    ASSERT_TRUE(source.join(run, run + 4_KiB));
    EXPECT_EQ(memory.statistics().runs_in_use, 2u);
    EXPECT_STREQ(memory.check(), nullptr);
    EXPECT_FALSE(source.split(run + 24_KiB, 4_KiB)); // begins no run any more
    source.deallocate(run, 64_KiB);
    source.deallocate(behind, 4_KiB);
    EXPECT_EQ(memory.statistics().in_use, 0u);
    EXPECT_STREQ(memory.check(), nullptr);
}

TEST(run_source, shrinks_a_run_in_place) {
    arena memory{{.capacity = 1_MiB}};
    run_source& source = arena_access::runs(memory);
    const std::uint32_t run = source.allocate_granules(100);
    auto* const bytes = source.begin() + run * arena::granule_size;
    bytes[0] = bytes[10 * arena::granule_size - 1] = std::byte{7};
    EXPECT_TRUE(source.shrink(run, 100, 0));
    EXPECT_EQ(memory.statistics().in_use, 100 * arena::granule_size);
    EXPECT_FALSE(source.shrink(run, 10, 247)); // 90 of it, and the 156 behind
    EXPECT_EQ(memory.statistics().in_use, 100 * arena::granule_size);
    EXPECT_TRUE(source.shrink(run, 10, 246));
    EXPECT_EQ(memory.statistics().in_use, 10 * arena::granule_size);
    EXPECT_EQ(memory.statistics().peak_in_use, 100 * arena::granule_size);
    EXPECT_EQ(memory.statistics().runs_in_use, 1u);
    EXPECT_EQ(source.largest_free_run(), 246u);
    EXPECT_EQ(bytes[0], std::byte{7});
    EXPECT_EQ(bytes[10 * arena::granule_size - 1], std::byte{7});
    memory.deallocate(bytes, 10 * arena::granule_size); // of its new size
    EXPECT_EQ(memory.check(), nullptr);
}

TEST(run_source, sees_the_arena_grow) {
    arena memory{{.capacity = 2_MiB, .max_capacity = 8_MiB}};
    run_source& source = arena_access::runs(memory);
    EXPECT_EQ(source.allocate_granules(513), none);
    memory.grow(2_MiB);
    EXPECT_EQ(source.capacity(), 1024u);
    EXPECT_EQ(source.largest_free_run(), 1024u);
    EXPECT_NE(source.allocate_granules(1024), none);
    memory.grow(4_MiB);
    EXPECT_EQ(source.largest_free_run(), 1024u);
    EXPECT_EQ(memory.check(), nullptr);
}

TEST(run_source, refuses_in_a_forked_child) {
    for (const fork_policy policy : {fork_policy::wipe, fork_policy::inherit}) {
        arena memory{{.capacity = 1_MiB, .on_fork = policy}};
        run_source& source = arena_access::runs(memory);
        (void)source.allocate_granules(3);
        const auto child = test::run_in_child({}, [&] {
            EXPECT_EQ(source.capacity(), 0u);
            EXPECT_EQ(source.begin(), nullptr);
            EXPECT_EQ(source.largest_free_run(), 0u);
            EXPECT_EQ(source.allocate_granules(1), none);
        });
        EXPECT_TRUE(child.passed()) << child.output;
    }
}

TEST(run_source, serves_many_threads_at_once_through_both_doors) {
    arena memory{{.capacity = 4_MiB, .max_capacity = 16_MiB}};
    run_source& source = arena_access::runs(memory);
    const auto by_index = [&](unsigned seed) {
        std::mt19937 random(seed);
        std::vector<std::uint32_t> runs;
        for (int step = 0; step < 4000; ++step) {
            const std::uint32_t count = 1 + random() % 20;
            if (const std::uint32_t run = source.allocate_granules(count); run != none) {
                ASSERT_LE(run + count, source.capacity());
                std::byte* const bytes = source.begin() + run * arena::granule_size;
                bytes[0] = bytes[count * arena::granule_size - 1] = std::byte(seed);
                const std::uint32_t left = 1 + random() % count;
                if (left != count)
                    source.shrink(run, left, 0);
                ASSERT_EQ(bytes[0], std::byte(seed));
                bytes[left * arena::granule_size - 1] = std::byte(seed);
                runs.push_back(run);
            }
            if (runs.size() > 20) {
                std::swap(runs[random() % runs.size()], runs.back());
                ASSERT_EQ(source.begin()[runs.back() * arena::granule_size], std::byte(seed));
                source.deallocate_granules(runs.back());
                runs.pop_back();
            }
        }
        for (const std::uint32_t run : runs)
            source.deallocate_granules(run);
    };
    const auto by_address = [&](unsigned seed) {
        std::mt19937 random(seed);
        for (int step = 0; step < 4000; ++step) {
            const std::size_t bytes = 1 + random() % 40'000;
            if (void* run = memory.try_allocate(bytes, std::size_t{1} << random() % 14)) {
                static_cast<std::byte*>(run)[bytes - 1] = std::byte(seed);
                memory.deallocate(run, bytes);
            }
        }
    };
    std::vector<std::thread> threads;
    for (unsigned seed = 1; seed <= 3; ++seed) {
        threads.emplace_back(by_index, seed);
        threads.emplace_back(by_address, seed + 10);
    }
    for (int i = 0; i < 3; ++i)
        memory.grow(4_MiB);
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(memory.statistics().in_use, 0u);
    EXPECT_EQ(memory.statistics().capacity, 16_MiB);
    EXPECT_EQ(memory.check(), nullptr);
}

} // namespace
} // namespace resident
