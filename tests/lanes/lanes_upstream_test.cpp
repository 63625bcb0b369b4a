// Concerns: blocks of upstream that a concurrent pool has in lists, in the depot or on their way go
// back to it once, as they were had; it is asked for what the whole class may be used for.
// Plan: an upstream that keeps books; an arena that is full.

#include <resident/arena.hpp>

#include "lanes/synchronized_pool_scene.hpp"
#include "pool/bookkeeper.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <thread>
#include <vector>

namespace resident {
namespace {

class lanes_upstream : public testing::Test {
protected:
    void SetUp() override {
        if (test::address_sanitized)
            GTEST_SKIP() << "AddressSanitizer watches each block: there is one lane, with a mutex";
    }
    /// Fills the arena, and then has `count` blocks of upstream.
    std::vector<void*> allocate_from_upstream(std::size_t count, std::size_t bytes) {
        std::vector<void*> blocks;
        while (blocks.size() != count) {
            const std::size_t before = upstream_.out.size();
            void* const block = pool_.allocate(bytes);
            (upstream_.out.size() == before ? of_arena_ : blocks).push_back(block);
        }
        return blocks;
    }
    void free_all(const std::vector<void*>& blocks, std::size_t bytes) {
        for (void* const each : blocks)
            pool_.deallocate(each, bytes);
    }

    bookkeeper upstream_;
    arena memory_{{.capacity = 1_MiB, .lock = lock_policy::off}};
    synchronized_pool_resource pool_{{}, memory_, &upstream_};
    std::vector<void*> of_arena_;
};

TEST_F(lanes_upstream, has_its_blocks_back_from_a_list) {
    free_all(allocate_from_upstream(40, 64), 64);
    EXPECT_GT(upstream_.out.size(), 0u); // in the list
    EXPECT_GT(pool_.statistics().upstream, 0u);
    EXPECT_EQ(pool_.statistics().in_use, of_arena_.size() * 64);
    pool_.trim();
    EXPECT_EQ(upstream_.out.size(), 0u);
    EXPECT_EQ(pool_.statistics().upstream, 0u);
    EXPECT_EQ(pool_.statistics().in_use, of_arena_.size() * 64);
}

TEST_F(lanes_upstream, has_its_blocks_back_from_the_depot_and_from_an_inbox) {
    const std::vector<void*> blocks = allocate_from_upstream(200, 64); // three lists and more
    free_all(blocks, 64);
    EXPECT_GE(upstream_.out.size(), 64u); // what is in the lists is not back
    EXPECT_LT(upstream_.out.size(), 200u);
    free_all({of_arena_.begin(), of_arena_.begin() + 1000}, 64);
    of_arena_.erase(of_arena_.begin(), of_arena_.begin() + 1000);
    pool_.trim();
    EXPECT_EQ(upstream_.out.size(), 0u);
    EXPECT_EQ(pool_.statistics().in_use, of_arena_.size() * 64);
}

TEST_F(lanes_upstream, has_its_blocks_back_once_when_the_pool_is_released) {
    for (int time = 0; time < 3; ++time) {
        of_arena_.clear();
        const std::vector<void*> blocks = allocate_from_upstream(200, 64);
        free_all({blocks.begin(), blocks.begin() + 150}, 64);
        free_all({of_arena_.begin(), of_arena_.begin() + 10}, 64);
        pool_.release();
        EXPECT_EQ(upstream_.out.size(), 0u);
        EXPECT_EQ(pool_.statistics().upstream, 0u);
        EXPECT_EQ(pool_.statistics().in_use, 0u);
    }
}

TEST_F(lanes_upstream, is_asked_for_what_the_whole_class_may_be_used_for) {
    const std::vector<void*> of_size = allocate_from_upstream(1, 2100);
    std::size_t block_size = 0;
    for (const size_class_statistics& each : pool_.statistics().classes)
        if (each.block_size >= 2100 && block_size == 0)
            block_size = each.block_size;
    EXPECT_GE(pool_.usable_size(of_size[0]), block_size);
    EXPECT_GT(block_size, 2100u);
    const std::vector<void*> aligned = allocate_from_upstream(20, 1024);
    for (void* const each : aligned)
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(each) % 1024, 0u);
    free_all(of_size, 2100);
    free_all(aligned, 1024);
}

TEST_F(lanes_upstream, leaves_no_thread_at_a_list) {
    std::barrier meet(2);
    std::vector<void*> blocks;
    std::thread other([&] {
        pool_.attach_this_thread(); // while there is room
        meet.arrive_and_wait();
        meet.arrive_and_wait();
        free_all({of_arena_.begin(), of_arena_.begin() + 64}, 64); // its list is full
        free_all(blocks, 64);
        meet.arrive_and_wait();
        meet.arrive_and_wait();
    });
    meet.arrive_and_wait();
    blocks = allocate_from_upstream(5, 64);
    meet.arrive_and_wait();
    meet.arrive_and_wait();
    EXPECT_GT(cached_blocks(pool_.statistics()), 0u);
    pool_.trim();
    EXPECT_EQ(cached_blocks(pool_.statistics()), 0u);
    meet.arrive_and_wait();
    other.join();
}

TEST_F(lanes_upstream, may_refuse_and_the_observer_ask) {
    std::atomic<std::uint64_t> told{0};
    const auto notify = [](void* context, std::size_t, std::size_t,
                           const pool_statistics&) noexcept {
        const auto& [pool, seen] =
            *static_cast<std::pair<synchronized_pool_resource*, std::atomic<std::uint64_t>*>*>(
                context);
        *seen = pool->statistics().failures; // would wait for itself under the mutex
    };
    std::pair<synchronized_pool_resource*, std::atomic<std::uint64_t>*> context{nullptr, &told};
    synchronized_pool_resource pool{{.on_failure = {notify, &context}}, memory_, &upstream_};
    context.first = &pool;
#if defined(__cpp_exceptions)
    upstream_.refuses = true;
    EXPECT_EQ(pool.try_allocate(64_MiB), nullptr);
    EXPECT_EQ(told, 1u);
#endif
}

} // namespace
} // namespace resident
