// Concerns: a pool that any thread uses: whose lane is whose, from its first call to the end of the
// thread or of the pool, whichever comes first; blocks on their way between threads; what others
// have cached serves a request before it is refused; nothing is left behind.
// Plan: threads that meet at agreed points, so that each order comes about every time.

#include <resident/containers.hpp>
#include <resident/footprint.hpp>

#include "lanes/synchronized_pool_scene.hpp"

#include <gtest/gtest.h>

#include <array>
#include <barrier>
#include <list>
#include <memory_resource>
#include <set>
#include <thread>
#include <vector>

namespace resident {
namespace {

TEST_F(synchronized_pool, gives_a_thread_a_lane_at_its_first_call) {
    EXPECT_EQ(pool_->lanes_in_use(), 0u);
    void* const block = pool_->allocate(64);
    EXPECT_EQ(pool_->lanes_in_use(), 1u);
    on_a_thread([&] {
        EXPECT_TRUE(pool_->attach_this_thread());
        EXPECT_EQ(pool_->lanes_in_use(), 2u);
        pool_->deallocate(block, 64);
    });
    EXPECT_EQ(pool_->lanes_in_use(), 1u);
    EXPECT_EQ(pool_->guarded_calls(), 0u);
}

TEST_F(synchronized_pool, hands_a_lane_that_was_given_back_to_the_next_thread) {
    std::vector<void*> blocks;
    on_a_thread([&] { blocks = allocate(100, 256); });
    const std::size_t held = pool_->statistics().held;
    for (int time = 0; time < 100; ++time)
        on_a_thread([&] { pool_->deallocate(pool_->allocate(64), 64); });
    EXPECT_LE(pool_->statistics().held, held + 64_KiB); // one slab, and no other lane
    free_all(blocks, 256);
}

TEST_F(synchronized_pool, takes_back_what_another_thread_frees) {
    pool_->attach_this_thread();          // or this would take the other's lane over
    constexpr std::size_t count = 20'000; // more than the lists and the depot have room for
    for (const std::size_t bytes : {16u, 64u, 3000u, 4096u}) {
        std::vector<void*> blocks;
        on_a_thread([&] { blocks = allocate(bytes < 100 ? count : 500, bytes); });
        ASSERT_NE(blocks.back(), nullptr);
        free_all(blocks, bytes);
        const std::size_t held = pool_->statistics().held;
        on_a_thread([&] { blocks = allocate(bytes < 100 ? count : 500, bytes); });
        EXPECT_LE(pool_->statistics().held, held + 128_KiB) << bytes; // they serve again
        free_all(blocks, bytes);
        EXPECT_EQ(pool_->check(), nullptr);
        EXPECT_EQ(pool_->statistics().in_use, 0u); // check() has taken all of them in
    }
}

/// One thread allocates and the other frees, in groups of all lengths: what is cached on the way is
/// lists, the depot and a few slabs, however much passes.
TEST_F(synchronized_pool, holds_a_constant_beside_what_is_alive) {
    constexpr std::size_t bytes = 64;
    constexpr std::size_t alive = 5000;
    pool_->attach_this_thread();
    const std::size_t before = pool_->statistics().held;
    std::barrier meet(2);
    std::vector<void*> passed;
    std::thread other([&] {
        for (int time = 0; time < 500; ++time) {
            meet.arrive_and_wait();
            free_all(passed, bytes);
            meet.arrive_and_wait();
        }
    });
    for (std::size_t time = 0; time < 500; ++time) {
        passed = allocate(1 + time * 997 % alive, bytes);
        meet.arrive_and_wait();
        meet.arrive_and_wait();
    }
    other.join();
    const std::size_t list = 32_KiB; // 1/1024 of the arena
    EXPECT_LE(pool_->statistics().peak_held, before + 16_KiB + alive * bytes + 3 * list + 64_KiB);
}

TEST_F(synchronized_pool, frees_runs_and_blocks_without_a_size_from_any_thread) {
    std::vector<void*> blocks;
    on_a_thread([&] {
        for (const std::size_t bytes : {1u, 100u, 3000u, 65'536u, 100'000u})
            blocks.push_back(pool_->allocate(bytes));
        blocks.push_back(pool_->allocate(100, 16_KiB));
    });
    for (void* const each : blocks) {
        EXPECT_TRUE(pool_->owns(each));
        pool_->deallocate(each);
    }
    EXPECT_FALSE(pool_->owns(&blocks));
}

/// The arena is full of what one thread has cached or in its slabs; another asks.
TEST_F(synchronized_pool, serves_a_request_from_what_other_threads_have_cached) {
    std::barrier meet(2);
    std::thread other([&] {
        std::vector<void*> blocks;
        while (void* const block = pool_->try_allocate(1000))
            blocks.push_back(block);
        const std::vector<void*> kept(blocks.begin(), blocks.begin() + 1);
        blocks.erase(blocks.begin());
        free_all(blocks, 1000);
        meet.arrive_and_wait(); // and stays, with a full list
        meet.arrive_and_wait();
        free_all(kept, 1000);
    });
    meet.arrive_and_wait();
    std::vector<void*> runs;
    while (void* const run = pool_->try_allocate(100_KiB))
        runs.push_back(run);
    EXPECT_GT(runs.size() * 100_KiB, 31_MiB);
    free_all(runs, 100_KiB);
    meet.arrive_and_wait();
    other.join();
}

/// Not a slab is empty, but there are free blocks in those of the other thread.
TEST_F(synchronized_pool, lends_blocks_of_another_thread_s_slabs) {
    std::barrier meet(2);
    std::vector<void*> blocks;
    std::thread other([&] {
        while (void* const block = pool_->try_allocate(1000))
            blocks.push_back(block);
        for (std::size_t i = 0; i < blocks.size(); i += 2)
            pool_->deallocate(std::exchange(blocks[i], nullptr), 1000);
        meet.arrive_and_wait();
        meet.arrive_and_wait();
    });
    meet.arrive_and_wait();
    EXPECT_EQ(pool_->try_allocate(100_KiB), nullptr);
    std::size_t count = 0;
    for (void*& each : blocks)
        if (each == nullptr && (each = pool_->try_allocate(720)) != nullptr)
            ++count;
    EXPECT_GT(count, blocks.size() * 48 / 100);
    EXPECT_EQ(pool_->statistics().failures, 2u + blocks.size() - blocks.size() / 2 - count);
    meet.arrive_and_wait();
    other.join();
    free_all(blocks, 1000);
}

TEST_F(synchronized_pool, shares_one_lane_among_more_threads_than_there_are_lanes) {
    constexpr std::size_t more = 8;
    lanes_made_ = synchronized_pool_resource::most_lanes + 1;
    std::barrier meet(synchronized_pool_resource::most_lanes + more);
    std::atomic<std::size_t> attached{0};
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < synchronized_pool_resource::most_lanes + more; ++i)
        threads.emplace_back([&, i] {
            attached += pool_->attach_this_thread() ? 1U : 0U;
            meet.arrive_and_wait();
            for (int time = 0; time < 1000; ++time) {
                auto* const block = static_cast<std::size_t*>(pool_->allocate(64));
                *block = i;
                void* const run = pool_->allocate(5000);
                EXPECT_EQ(*block, i);
                pool_->deallocate(block, 64);
                pool_->deallocate(run, 5000);
            }
            meet.arrive_and_wait();
        });
    for (std::thread& each : threads)
        each.join();
    EXPECT_EQ(attached, synchronized_pool_resource::most_lanes);
    EXPECT_GE(pool_->guarded_calls(), more * 4 * 1000);
    EXPECT_EQ(pool_->lanes_in_use(), 0u);
}

TEST_F(synchronized_pool, may_end_before_its_threads_do) {
    std::barrier meet(2);
    std::thread other([&] {
        pool_->deallocate(pool_->allocate(64), 64);
        meet.arrive_and_wait();
        meet.arrive_and_wait();
        synchronized_pool_resource next{memory_}; // has the slot of the one before
        next.deallocate(next.allocate(64), 64);
        EXPECT_EQ(next.lanes_in_use(), 1u);
    });
    meet.arrive_and_wait();
    pool_.reset();
    meet.arrive_and_wait();
    other.join();
    EXPECT_EQ(memory_.statistics().in_use, 0u);
}

/// In an arena in which most slabs have 64 KiB, those that are kept as spares, too.
TEST_F(synchronized_pool, leaves_nothing_behind_though_it_was_never_trimmed) {
    arena large{{.capacity = 128_MiB, .lock = lock_policy::off}};
    for (const bool is_released : {false, true}) {
        synchronized_pool_resource pool{large};
        std::vector<void*> blocks(20'000);
        for (void*& each : blocks)
            each = pool.allocate(64);
        on_a_thread([&] {
            for (void* const each : blocks)
                pool.deallocate(each, 64);
            pool.deallocate(pool.allocate(64_KiB), 64_KiB);
        });
        EXPECT_EQ(large.statistics().in_use, pool.statistics().held);
        if (is_released) {
            pool.release();
            EXPECT_EQ(large.statistics().in_use, 3 * 16_KiB + 4_KiB);
            EXPECT_EQ(pool.statistics().held, 3 * 16_KiB + 4_KiB);
        }
    }
    EXPECT_EQ(large.statistics().in_use, 0u);
}

/// Lanes are made when they are needed, long after their numbers were given out.
TEST_F(synchronized_pool, keeps_its_lanes_apart_from_those_of_many_that_come_and_go) {
    pool_->attach_this_thread();
    std::vector<void*> blocks;
    on_a_thread([&] { blocks = allocate(100, 64); });
    for (int count = 0; count < 300; ++count) {
        synchronized_pool_resource other{memory_};
        other.deallocate(other.allocate(64), 64);
        on_a_thread([&] { EXPECT_FALSE(other.owns(blocks[0])); });
        other.release();
    }
    for (void* const each : blocks)
        EXPECT_TRUE(pool_->owns(each));
    free_all(blocks, 64);
}

TEST_F(synchronized_pool, is_one_of_several_on_several_arenas) {
    arena second{{.capacity = 8_MiB, .lock = lock_policy::off}};
    std::vector<std::unique_ptr<synchronized_pool_resource>> pools;
    for (int i = 0; i < 40; ++i) // more than have slots: the others' lanes are guarded
        pools.push_back(
            std::make_unique<synchronized_pool_resource>(i % 2 == 0 ? memory_ : second));
    std::vector<void*> blocks;
    on_a_thread([&] {
        for (auto& each : pools)
            blocks.push_back(each->allocate(48));
    });
    std::size_t guarded = 0;
    for (std::size_t i = 0; i < pools.size(); ++i) {
        EXPECT_TRUE(pools[i]->owns(blocks[i]));
        pools[i]->deallocate(blocks[i], 48);
        EXPECT_EQ(pools[i]->check(), nullptr);
        guarded += pools[i]->guarded_calls() != 0 ? 1U : 0U;
    }
    EXPECT_EQ(guarded, 40 - 31u); // the fixture's pool has a slot, too
    pools.clear();
    EXPECT_EQ(second.statistics().in_use, 0u);
}

TEST_F(synchronized_pool, reserves_blocks_in_a_thread_s_lane) {
    on_a_thread([&] {
        ASSERT_TRUE(pool_->attach_this_thread(64, 5000));
        const std::uint64_t visits = pool_->statistics().arena_visits;
        const std::vector<void*> blocks = allocate(5000, 64);
        EXPECT_NE(blocks.back(), nullptr);
        EXPECT_EQ(pool_->statistics().arena_visits, visits);
        free_all(blocks, 64);
    });
    EXPECT_FALSE(pool_->try_reserve(64, 1'000'000)); // 32 MiB have not so many
    pool_->reserve(48, 10);
    pool_->release(); // gives the reserves back
}

TEST_F(synchronized_pool, reserves_what_a_container_takes) {
    std::pmr::list<int> numbers(&*pool_);
    EXPECT_EQ(reserve<std::pmr::list<int>>(*pool_, 1000), 0u);
    const std::uint64_t visits = pool_->statistics().arena_visits;
    numbers.resize(1000);
    EXPECT_EQ(pool_->statistics().arena_visits, visits);
    const footprint_report part = footprint<std::pmr::list<int>>(100);
    EXPECT_TRUE(try_reserve(*pool_, part));
    numbers.clear();
    pool_->release();
}

/// With blocks in lists, in the depot, and in an inbox of which some have been taken.
TEST_F(synchronized_pool, starts_anew_after_release) {
    constexpr std::size_t count = 20'000;
    pool_->attach_this_thread();
    std::vector<void*> blocks = allocate(count, 64);
    on_a_thread([&] {
        free_all(blocks, 64);
        (void)allocate(1000, 100);
    });
    (void)allocate(100, 3000);
    (void)allocate(3, 100_KiB);
    pool_->release();
    EXPECT_EQ(pool_->statistics().in_use, 0u);
    EXPECT_EQ(pool_->check(), nullptr);
    blocks = allocate(count, 64);
    EXPECT_EQ(std::set<void*>(blocks.begin(), blocks.end()).size(), count);
    EXPECT_EQ(pool_->statistics().in_use, count * 64);
    free_all(blocks, 64);
}

TEST_F(synchronized_pool, tells_what_is_refused) {
    std::atomic<std::size_t> told{0};
    const auto notify = [](void* context, std::size_t bytes, std::size_t,
                           const pool_statistics& all) noexcept {
        EXPECT_EQ(all.failures, 1u);
        *static_cast<std::atomic<std::size_t>*>(context) = bytes;
    };
    synchronized_pool_resource pool{{.on_failure = {notify, &told}}, memory_};
    EXPECT_EQ(pool.try_allocate(64_MiB), nullptr);
    EXPECT_EQ(told, 64_MiB);
}

TEST_F(synchronized_pool, serves_containers_as_a_resource_and_through_allocator) {
    std::pmr::list<int> of_std(1000, 7, &*pool_);
    resident::list<int, synchronized_pool_resource> own(1000, 7, *pool_);
    EXPECT_EQ(pool_->statistics().classes[24 / 8 - 2].in_use, 2000u);
    on_a_thread([&] {
        of_std.clear();
        own.clear();
        own.push_back(1);
    });
    own.clear();
}

} // namespace
} // namespace resident
