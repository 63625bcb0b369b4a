// Concerns: a forked child that destroys a pool, as returning from main does, does no harm: to
// itself, whatever it finds at the arena's addresses, or to the parent's pool.
// Plan: each fork policy; the child destroys, the parent goes on and checks every invariant.

#include <resident/containers.hpp>

#include "support/child.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace resident {
namespace {

using namespace resident::literals;

class pool_fork : public testing::TestWithParam<fork_policy> {};

TEST_P(pool_fork, a_child_destroys_the_pool_and_then_the_arena) {
    std::optional<arena> memory(
        std::in_place,
        arena_options{.capacity = 1_MiB, .pages = page_kind::base, .on_fork = GetParam()});
    std::optional<unsynchronized_pool_resource> pool(std::in_place, *memory);
    vector<int> numbers(1000, 7, *pool);
    void* const run = pool->try_allocate(100'000);
    const pool_statistics before = pool->statistics();
    const auto child = test::run_in_child({}, [&] {
        pool.reset();
        memory.reset();
    });
    EXPECT_TRUE(child.passed()) << child.output << "signal " << child.signal;
    EXPECT_STREQ(pool->check(), nullptr);
    EXPECT_EQ(pool->statistics().in_use, before.in_use);
    EXPECT_EQ(pool->statistics().held, before.held);
    numbers.push_back(8);
    EXPECT_EQ(numbers.front() + numbers.back(), 15);
    pool->deallocate(run, 100'000);
    EXPECT_STREQ(memory->check(), nullptr);
}

TEST_P(pool_fork, a_child_has_pools_of_its_own) {
    arena memory{{.capacity = 1_MiB, .pages = page_kind::base, .on_fork = GetParam()}};
    const unsynchronized_pool_resource pool{memory};
    const auto child = test::run_in_child({}, [] {
        arena own{{.capacity = 1_MiB}};
        unsynchronized_pool_resource here{own};
        const list<int> numbers(1000, 7, here);
        EXPECT_STREQ(here.check(), nullptr);
    });
    EXPECT_TRUE(child.passed()) << child.output;
}

TEST(pool_fork_of_its_own_arena, a_child_destroys_a_pool_with_an_arena_of_its_own) {
    std::optional<unsynchronized_pool_resource> pool(std::in_place);
    (void)pool->try_allocate(100);
    const auto child = test::run_in_child({}, [&] { pool.reset(); });
    EXPECT_TRUE(child.passed()) << child.output;
    EXPECT_STREQ(pool->check(), nullptr);
}

INSTANTIATE_TEST_SUITE_P(policies, pool_fork,
                         testing::Values(fork_policy::exclude, fork_policy::wipe,
                                         fork_policy::inherit),
                         [](const auto& each) { return to_string(each.param); });

} // namespace
} // namespace resident
