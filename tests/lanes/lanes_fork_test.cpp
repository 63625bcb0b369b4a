// Concerns: a fork, whatever other threads are doing with a pool, does no harm: the child can
// destroy the pool, use pools of its own, and end; the parent's pool goes on.
// Plan: forks while threads allocate and free; each fork policy.

#include <resident/synchronized_pool_resource.hpp>

#include "support/build.hpp"
#include "support/child.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

namespace resident {
namespace {

using namespace resident::literals;

class lanes_fork : public testing::TestWithParam<fork_policy> {};

TEST_P(lanes_fork, in_the_middle_of_everything_does_no_harm) {
    if (test::thread_sanitized)
        GTEST_SKIP() << "ThreadSanitizer takes threads in the child of a threaded process for dead";
    std::optional<arena> memory(std::in_place, arena_options{.capacity = 4_MiB,
                                                             .pages = page_kind::base,
                                                             .lock = lock_policy::off,
                                                             .on_fork = GetParam()});
    std::optional<synchronized_pool_resource> pool(std::in_place, *memory);
    std::atomic<bool> stop{false};
    std::atomic<int> running{
        0}; // a sanitizer's runtime starts a thread with locks that no fork frees
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i)
        threads.emplace_back([&] {
            for (++running; !stop;) {
                void* const run = pool->try_allocate(100'000);
                void* const block = pool->try_allocate(64);
                if (run != nullptr)
                    pool->deallocate(run, 100'000);
                if (block != nullptr)
                    pool->deallocate(block, 64);
                pool->trim();
            }
        });
    while (running != 3)
        std::this_thread::yield();
    pool->attach_this_thread();
    for (int time = 0; time < 20; ++time) {
        const auto child = test::run_in_child({}, [&] {
            pool.reset();
            memory.reset();
            arena own{{.capacity = 2_MiB, .lock = lock_policy::off}};
            synchronized_pool_resource here{own};
            void* const block = here.allocate(64);
            EXPECT_EQ(here.lanes_in_use(), test::address_sanitized ? 0u : 1u);
            std::thread([&] { here.deallocate(block, 64); }).join();
            EXPECT_EQ(here.check(), nullptr);
        });
        EXPECT_TRUE(child.passed()) << child.output << "signal " << child.signal;
        pool->deallocate(pool->allocate(64), 64);
    }
    stop = true;
    for (std::thread& each : threads)
        each.join();
    EXPECT_EQ(pool->check(), nullptr);
    EXPECT_EQ(pool->statistics().in_use, 0u);
    pool.reset();
    EXPECT_EQ(memory->statistics().in_use, 0u);
}

INSTANTIATE_TEST_SUITE_P(policies, lanes_fork,
                         testing::Values(fork_policy::wipe, fork_policy::inherit,
                                         fork_policy::exclude),
                         [](const auto& each) { return to_string(each.param); });

} // namespace
} // namespace resident
