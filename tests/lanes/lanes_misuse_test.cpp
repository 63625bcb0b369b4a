// Concerns: a pool of many threads that checks its calls finds what a pool of one thread finds, and
// a block that two threads free at once.
// Plan: scenes under a handler that writes down what it is told; two threads that meet before they
// free the same block, often.

#include <resident/misuse.hpp>
#include <resident/synchronized_pool_resource.hpp>

#include "support/build.hpp"

#include <gtest/gtest.h>

#include <barrier>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace resident {
namespace {

using namespace resident::literals;

class lanes_misuse : public testing::Test {
protected:
    void SetUp() override {
        told().clear();
        before_ = set_misuse_handler([](const misuse& found) {
            const std::lock_guard guard(told_mutex());
            told().push_back(found.kind);
        });
    }
    void TearDown() override { set_misuse_handler(before_); }
    static std::vector<misuse_kind>& told() {
        static std::vector<misuse_kind> all;
        return all;
    }
    static std::mutex& told_mutex() {
        static std::mutex mutex;
        return mutex;
    }

    arena memory_{{.capacity = 4_MiB, .lock = lock_policy::off}};

private:
    misuse_handler before_ = nullptr;
};

TEST_F(lanes_misuse, of_two_threads_that_free_a_block_at_once_is_found) {
    constexpr int times = 300;
    synchronized_pool_resource pool{{.checks = check_level::full}, memory_};
    void* block = nullptr;
    std::barrier meet(2);
    const auto free_each = [&](bool allocates) {
        for (int time = 0; time < times; ++time) {
            if (allocates)
                block = pool.allocate(100);
            meet.arrive_and_wait();
            pool.deallocate(block, 100);
            meet.arrive_and_wait();
        }
    };
    std::thread other([&] { free_each(false); });
    free_each(true);
    other.join();
    EXPECT_EQ(told(), std::vector(times, misuse_kind::double_free));
    EXPECT_EQ(pool.statistics().in_use, 0u);
    EXPECT_EQ(pool.check(), nullptr);
}

TEST_F(lanes_misuse, is_found_whichever_thread_it_comes_from) {
    for (const check_level level : {check_level::cheap, check_level::full}) {
        told().clear();
        std::optional<synchronized_pool_resource> pool(std::in_place, pool_options{.checks = level},
                                                       memory_);
        auto* const block = static_cast<char*>(pool->allocate(64));
        void* const kept = pool->allocate(1000);
        std::thread([&] {
            pool->deallocate(&pool, 64);
            pool->deallocate(block + 16, 64);
            pool->deallocate(block, 4000);
            pool->deallocate(block, 64);
            pool->deallocate(block, 64);
        }).join();
        EXPECT_EQ(told(),
                  (std::vector{misuse_kind::foreign_pointer, misuse_kind::misaligned_pointer,
                               misuse_kind::wrong_size, misuse_kind::double_free}));
        told().clear();
        EXPECT_EQ(pool->usable_size(kept) >= 1000, true);
        pool.reset();
        EXPECT_EQ(told(), level == check_level::full ? std::vector{misuse_kind::leak}
                                                     : std::vector<misuse_kind>{});
        EXPECT_EQ(memory_.statistics().in_use, 0u);
    }
}

TEST_F(lanes_misuse, does_not_come_of_correct_use) {
    synchronized_pool_resource pool{{.checks = check_level::full}, memory_};
    EXPECT_FALSE(pool.attach_this_thread()); // every call is the guarded lane's
    EXPECT_TRUE(pool.attach_this_thread(64, 100));
    void* const block = pool.allocate(64);
    std::thread([&] { pool.deallocate(block, 64); }).join();
    pool.trim();
    EXPECT_EQ(pool.statistics().requested, 0u);
    EXPECT_EQ(pool.check(), nullptr);
    EXPECT_TRUE(told().empty());
}

} // namespace
} // namespace resident
