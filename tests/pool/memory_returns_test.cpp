// Concerns: what a program has freed is there for others: for other sizes, and for other pools of
// the arena, which cannot ask this one to give back what it keeps. Plan: many blocks freed in
// different orders; then the pool holds a few slabs, and another pool gets the rest.

#include <resident/unsynchronized_pool_resource.hpp>

#include "pool/hoard.hpp"
#include "support/build.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace resident {
namespace {

using namespace resident::literals;

enum class order { last_first, first_first, random };

struct history {
    std::size_t bytes;
    std::size_t count;
    order freed;
};

std::ostream& operator<<(std::ostream& out, const history& of) {
    const char* const names[] = {"last_first", "first_first", "random"};
    return out << of.count << "_of_" << of.bytes << "_freed_" << names[static_cast<int>(of.freed)];
}

class memory_returns : public testing::TestWithParam<history> {
protected:
    arena memory_{{.capacity = 128_MiB, .lock = lock_policy::off}};
    unsynchronized_pool_resource pool_{memory_};
};

TEST_P(memory_returns, but_for_a_few_slabs) {
    const history& of = GetParam();
    std::vector<void*> blocks(of.count);
    for (void*& block : blocks)
        block = pool_.try_allocate(of.bytes, 8);
    ASSERT_NE(blocks.back(), nullptr);
    if (of.freed == order::last_first)
        std::reverse(blocks.begin(), blocks.end());
    if (of.freed == order::random)
        std::shuffle(blocks.begin(), blocks.end(), std::mt19937(1));
    test::free_all(pool_, blocks, of.bytes);
    EXPECT_EQ(pool_.statistics().in_use, 0u);
    EXPECT_LE(pool_.statistics().held, test::pool_state_size + 4 * 72_KiB);
    EXPECT_EQ(pool_.check(), nullptr);
}

std::vector<history> histories() {
    std::vector<history> all;
    for (const order freed : {order::last_first, order::first_first, order::random})
        for (const std::size_t bytes : {16u, 48u, 64u, 256u, 1024u, 3000u, 4096u, 10'000u})
            for (const std::size_t count : {1000u, 10'000u, 100'000u})
                if (count * bytes <= 100_MiB && (!test::sanitized || count < 100'000))
                    all.push_back({bytes, count, freed});
    return all;
}

INSTANTIATE_TEST_SUITE_P(orders, memory_returns, testing::ValuesIn(histories()),
                         [](const auto& each) { return testing::PrintToString(each.param); });

} // namespace
} // namespace resident
