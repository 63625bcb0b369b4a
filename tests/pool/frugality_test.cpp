// Concerns: of a fixed amount of locked memory, metadata included, a program gets at least 95 % in
// bytes requested, whatever it did before.
// Plan: the histories of bench/histories.hpp, as bench_capacity plays them, on an arena of 64 MiB.

#include <resident/resident.hpp>

#include "../../bench/histories.hpp"
#include "support/build.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <string>

namespace resident {
namespace {

using namespace resident::literals;

struct confined_pool {
    arena memory{{.capacity = 64_MiB, .lock = lock_policy::off}};
    unsynchronized_pool_resource pool{memory};

    void* try_allocate(std::size_t bytes) noexcept { return pool.try_allocate(bytes); }
    void deallocate(void* block, std::size_t bytes) noexcept { pool.deallocate(block, bytes); }
};

class pool_frugality : public testing::TestWithParam<std::size_t> {};

TEST_P(pool_frugality, leaves_at_most_a_twentieth_unused) {
    if (test::sanitized)
        GTEST_SKIP() << "millions of operations take too long under a sanitizer";
    confined_pool heap;
    const bench::history_result result = bench::play_history(GetParam(), heap);
    EXPECT_FALSE(result.failed);
    const std::size_t all = heap.memory.statistics().resident; // the bookkeeping is part of it
    EXPECT_GE(static_cast<double>(result.alive) / static_cast<double>(all), 0.95);
    EXPECT_EQ(heap.pool.check(), nullptr);
    EXPECT_EQ(heap.memory.check(), nullptr);
}

INSTANTIATE_TEST_SUITE_P(histories, pool_frugality, testing::Range(std::size_t{0}, std::size_t{10}),
                         [](const auto& each) {
                             std::string name;
                             for (const char letter : bench::history_names[each.param].name)
                                 name += std::isalnum(static_cast<unsigned char>(letter)) != 0
                                             ? letter
                                             : '_';
                             return name;
                         });

} // namespace
} // namespace resident
