// Concerns: what a concurrent pool has in lists, depot, inboxes, spare and partly cut slabs is
// counted, serves whoever asks, and goes back to the arena when asked for; but for reserves.
// Plan: one thread leaves memory in each of these states and stays, another asks.

#include <resident/arena.hpp>

#include "lanes/synchronized_pool_scene.hpp"
#include "pool/lane_group.hpp"
#include "pool/pool_scene.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <barrier>
#include <cstdint>
#include <utility>
#include <vector>

#include <pthread.h>

namespace resident {
namespace {

/// Free blocks of the class that serves `bytes`.
std::uint32_t free_blocks(const pool_statistics& all, std::size_t bytes) {
    for (const size_class_statistics& each : all.classes)
        if (each.block_size >= bytes)
            return each.free;
    return 0;
}

class lanes_memory : public synchronized_pool {
protected:
    /// What is left of the arena goes in blocks of this size.
    std::vector<void*> allocate_all(std::size_t bytes) {
        std::vector<void*> blocks;
        while (void* const block = pool_->try_allocate(bytes))
            blocks.push_back(block);
        return blocks;
    }
};

TEST_F(lanes_memory, is_taken_from_all_before_a_request_is_refused) {
    while_a_thread_lives([&] { free_all(allocate(5000, 64), 64); },
                         [&] {
                             EXPECT_GT(cached_blocks(pool_->statistics()), 0u);
                             EXPECT_EQ(pool_->try_allocate(32_MiB), nullptr);
                             EXPECT_EQ(cached_blocks(pool_->statistics()), 0u);
                             EXPECT_EQ(pool_->statistics().held, memory_.statistics().in_use);
                         });
}

TEST_F(lanes_memory, is_taken_from_nobody_for_what_can_never_be_served) {
    while_a_thread_lives([&] { free_all(allocate(100, 64), 64); },
                         [&] {
                             const std::size_t cached = cached_blocks(pool_->statistics());
                             EXPECT_EQ(pool_->try_allocate(64_MiB), nullptr);
                             EXPECT_EQ(pool_->try_allocate(SIZE_MAX), nullptr);
                             EXPECT_EQ(cached_blocks(pool_->statistics()), cached);
                         });
}

TEST_F(lanes_memory, is_counted_as_held_after_trim) {
    while_a_thread_lives(
        [&] {
            free_all(allocate(5000, 64), 64);
            free_all(allocate(30, 64), 64);
        },
        [&] {
            pool_->trim();
            EXPECT_EQ(pool_->statistics().held, memory_.statistics().in_use);
        });
}

TEST_F(lanes_memory, of_empty_slabs_is_kept_for_the_next_ones_after_trim_too) {
    arena large{{.capacity = 128_MiB, .lock = lock_policy::off}};
    synchronized_pool_resource pool{large};
    const auto visits_of_a_round = [&] {
        const std::uint64_t before = pool.statistics().arena_visits;
        std::vector<void*> blocks(20'000);
        for (void*& each : blocks)
            each = pool.allocate(64);
        for (void* const each : blocks)
            pool.deallocate(each, 64);
        return pool.statistics().arena_visits - before;
    };
    const std::uint64_t first = visits_of_a_round();
    const std::uint64_t second = visits_of_a_round();
    EXPECT_LE(second + 4, first);
    pool.trim();
    (void)visits_of_a_round();
    EXPECT_EQ(visits_of_a_round(), second);
}

TEST_F(lanes_memory, in_the_depot_serves_the_next_lane) {
    pool_->attach_this_thread();
    while_a_thread_lives([&] { free_all(allocate(3000, 64), 64); },
                         [&] {
                             const pool_statistics before = pool_->statistics();
                             EXPECT_EQ(before.in_use, 0u);
                             void* const block = pool_->allocate(64);
                             const pool_statistics after = pool_->statistics();
                             EXPECT_EQ(after.arena_visits, before.arena_visits);
                             EXPECT_EQ(cached_blocks(after) + 1, cached_blocks(before));
                             pool_->deallocate(block, 64);
                         });
}

TEST_F(lanes_memory, is_counted_while_a_surplus_goes_back) {
    pool_->attach_this_thread();
    const std::vector<void*> blocks = allocate(20'000, 64);
    std::size_t in_use = blocks.size() * 64;
    for (void* const each : blocks) {
        pool_->deallocate(each, 64);
        in_use -= 64;
        ASSERT_EQ(pool_->statistics().in_use, in_use);
    }
}

TEST_F(lanes_memory, never_cut_so_far_is_counted_as_free) {
    void* const block = pool_->allocate(64);
    EXPECT_GT(free_blocks(pool_->statistics(), 64), 0u);
    EXPECT_EQ((free_blocks(pool_->statistics(), 64) + 1) * 64 % 4096, 0u);
    pool_->deallocate(block, 64);
}

TEST_F(lanes_memory, never_cut_so_far_goes_back_with_trim) {
    pool_->attach_this_thread();
    const std::size_t before = memory_.statistics().in_use;
    void* const block = pool_->allocate(720);
    pool_->trim();
    EXPECT_LE(memory_.statistics().in_use, before + 4_KiB);
    pool_->deallocate(block, 720);
}

TEST_F(lanes_memory, never_cut_so_far_serves_others) {
    void* block = nullptr;
    while_a_thread_lives([&] { block = pool_->allocate(720); },
                         [&] {
                             EXPECT_GT(free_blocks(pool_->statistics(), 720), 5u);
                             const std::vector<void*> larger = allocate_all(5000);
                             const std::vector<void*> smaller = allocate_all(4000);
                             EXPECT_LE(free_blocks(pool_->statistics(), 720),
                                       5u); // as many as begin in one granule
                             free_all(larger, 5000);
                             free_all(smaller, 4000);
                         });
    pool_->deallocate(block, 720);
}

TEST_F(lanes_memory, is_most_at_its_peak) {
    const std::vector<void*> blocks = allocate(20'000, 64);
    const std::size_t most = pool_->statistics().held;
    free_all(blocks, 64);
    pool_->trim();
    EXPECT_LT(pool_->statistics().held, most);
    EXPECT_GE(pool_->statistics().peak_held, most);
}

TEST_F(lanes_memory, that_was_lent_wraps_no_count) {
    std::vector<void*> blocks;
    while_a_thread_lives(
        [&] {
            blocks = allocate_all(1000);
            for (std::size_t i = 0; i < blocks.size(); i += 2)
                pool_->deallocate(std::exchange(blocks[i], nullptr), 1000);
        },
        [&] {
            free_all(allocate_all(720), 720);
            const pool_statistics all = pool_->statistics();
            for (const size_class_statistics& each : all.classes)
                EXPECT_LE(std::size_t{each.in_use} * each.block_size, 32_MiB) << each.block_size;
            EXPECT_LE(all.in_use, 32_MiB);
        });
    blocks.erase(std::remove(blocks.begin(), blocks.end(), nullptr), blocks.end());
    free_all(blocks, 1000);
}

/// Each lane has blocks in its inbox, for which its own calls make room.
TEST_F(lanes_memory, comes_back_from_an_inbox_with_the_owner_s_calls) {
    constexpr std::size_t count = 20'000;
    pool_->attach_this_thread();
    const std::vector<void*> mine = allocate(count, 64);
    std::vector<void*> its;
    while_a_thread_lives(
        [&] {
            its = allocate(count, 64);
            free_all(mine, 64);
        },
        [&] {
            free_all(its, 64); // each beyond the list takes one of the inbox along
            EXPECT_LE(pool_->statistics().in_use, count * 64);
        });
}

TEST_F(lanes_memory, comes_back_from_an_inbox_with_calls_for_other_sizes) {
    constexpr std::size_t large = 3000; // its list has two blocks: most calls go out of line
    pool_->attach_this_thread();
    const std::vector<void*> blocks = allocate(20'000, 64);
    on_a_thread([&] { free_all(blocks, 64); });
    const std::size_t before = pool_->statistics().in_use;
    EXPECT_GT(before, 15'000u * 64);
    const std::vector<void*> others = allocate(2000, large);
    const std::size_t others_in_use = 2000 * pool_->usable_size(others[0]);
    EXPECT_LT(pool_->statistics().in_use - others_in_use, before - 1500 * 64);
    free_all(others, large);
}

TEST_F(lanes_memory, that_is_reserved_is_not_lent) {
    std::barrier meet(2);
    std::thread other([&] {
        ASSERT_TRUE(pool_->attach_this_thread(1000, 200));
        meet.arrive_and_wait();
        meet.arrive_and_wait();
        const std::vector<void*> blocks = allocate(200, 1000);
        EXPECT_EQ(std::count(blocks.begin(), blocks.end(), nullptr), 0);
        free_all(blocks, 1000);
    });
    meet.arrive_and_wait();
    const std::vector<void*> all = allocate_all(720);
    meet.arrive_and_wait();
    other.join();
    free_all(all, 720);
}

TEST_F(lanes_memory, that_is_reserved_is_not_passed_on) {
    constexpr std::size_t count = 2000;
    std::barrier meet(2);
    std::thread other([&] {
        ASSERT_TRUE(pool_->attach_this_thread(256, count));
        for (int round = 0; round < 20; ++round) {
            free_all(allocate(count, 256), 256);
            meet.arrive_and_wait();
            meet.arrive_and_wait();
        }
        const std::vector<void*> blocks = allocate(count, 256);
        EXPECT_EQ(std::count(blocks.begin(), blocks.end(), nullptr), 0);
        free_all(blocks, 256);
    });
    std::vector<void*> kept;
    for (int round = 0; round < 20; ++round) {
        meet.arrive_and_wait();
        const std::vector<void*> more = allocate(64, 256);
        kept.insert(kept.end(), more.begin(), more.end());
        if (round == 19)
            for (void* const each : allocate_all(256))
                kept.push_back(each);
        meet.arrive_and_wait();
    }
    other.join();
    free_all(kept, 256);
}

TEST_F(lanes_memory, beyond_a_reserve_is_lent) {
    while_a_thread_lives(
        [&] {
            ASSERT_TRUE(pool_->attach_this_thread(256, 1));
            std::vector<void*> blocks = allocate_all(256);
            for (std::size_t i = 0; i < blocks.size(); i += 2)
                pool_->deallocate(std::exchange(blocks[i], nullptr), 256);
        },
        [&] {
            EXPECT_GT(allocate_all(256).size(), 50'000u);
            pool_->release();
        });
}

TEST_F(lanes_memory, that_was_reserved_is_free_when_the_thread_has_ended) {
    for (int time = 0; time < 20; ++time) {
        while_a_thread_lives(
            [&] { pool_->attach_this_thread(); },
            [&] {
                on_a_thread([&] { EXPECT_TRUE(pool_->attach_this_thread(1000, 4000)) << time; });
            });
    }
}

TEST_F(lanes_memory, is_not_reserved_where_it_would_be_lost) {
    constexpr std::size_t most = synchronized_pool_resource::most_lanes;
    lanes_made_ = most + 1;
    std::barrier meet(static_cast<std::ptrdiff_t>(most) + 1);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < most; ++i) {
        threads.emplace_back([&] {
            EXPECT_TRUE(pool_->attach_this_thread());
            void* const block = pool_->allocate(64);
            EXPECT_TRUE(pool_->owns(block));
            meet.arrive_and_wait();
            meet.arrive_and_wait();
            pool_->deallocate(block, 64);
        });
    }
    meet.arrive_and_wait();
    EXPECT_FALSE(pool_->attach_this_thread());
    EXPECT_FALSE(pool_->attach_this_thread(256, 1000));
    EXPECT_FALSE(pool_->try_reserve(256, 1000));
    meet.arrive_and_wait();
    for (std::thread& each : threads)
        each.join();
    EXPECT_TRUE(pool_->attach_this_thread(256, 1000));
    pool_->release();
}

/// One that is called again after its lanes were given back; as a library's may be.
TEST_F(lanes_memory, is_had_from_late_destructors_of_thread_specific_data) {
    if (test::thread_sanitized)
        GTEST_SKIP() << "ThreadSanitizer's runtime has taken leave of the thread by then";
    pool_->attach_this_thread();
    static int times;
    times = 0;
    static pthread_key_t key;
    const auto call_late = [](void* opaque) {
        auto* const pool = static_cast<synchronized_pool_resource*>(opaque);
        pool->deallocate(pool->allocate(64), 64);
        if (++times < 4)
            pthread_setspecific(key, opaque);
    };
    ASSERT_EQ(pthread_key_create(&key, call_late), 0);
    on_a_thread([&] {
        pool_->attach_this_thread();
        pthread_setspecific(key, &*pool_);
    });
    pthread_key_delete(key);
    EXPECT_EQ(times, 4);
    EXPECT_EQ(pool_->lanes_in_use(), 1u);
    EXPECT_GE(pool_->guarded_calls(), 1u);
}

/// A block that found its list full, and the depot, may find room when its turn comes: a request
/// of the class was served meanwhile.
TEST_F(lanes_memory, of_an_inbox_is_not_freed_as_if_its_list_were_full) {
    using namespace detail;
    constexpr std::size_t bytes = 3000; // its list has two blocks
    lane_group* const group = lane_group::create({}, memory_, nullptr);
    lane& tested = group->guarded_lane();
    class_list& list = inspect::list(tested, bytes);
    std::vector<void*> blocks(3);
    for (void*& each : blocks)
        each = tested.allocate_here(bytes, 8);
    ASSERT_TRUE(list.push(blocks[0])); // and there is room for one more
    tested.hand_in(blocks[1]);
    tested.take_in_beyond_limit();
    EXPECT_EQ(list.surplus_count, 0u);
    EXPECT_EQ(list.head, static_cast<void*>(blocks[1]));
    EXPECT_EQ(group->check(), nullptr);
    tested.deallocate_here(blocks[2], bytes, 8);
    lane_group::destroy(group);
}

} // namespace
} // namespace resident
