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

enum class freeing_order { last_first, first_first, random };

struct returned_history {
    std::size_t bytes;
    std::size_t count;
    freeing_order freed;
};

std::ostream& operator<<(std::ostream& out, const returned_history& of) {
    const char* const names[] = {"last_first", "first_first", "random"};
    return out << of.count << "_of_" << of.bytes << "_freed_" << names[static_cast<int>(of.freed)];
}

class memory_returns_by_trim : public testing::Test {
protected:
    static constexpr std::size_t of_64 = detail::size_classes::of(64) - std::size_t{1};

    arena memory_{{.capacity = 128_MiB, .lock = lock_policy::off}};
    unsynchronized_pool_resource pool_{memory_};
};

class memory_returns : public memory_returns_by_trim,
                       public testing::WithParamInterface<returned_history> {};

TEST_P(memory_returns, but_for_a_few_slabs) {
    const returned_history& of = GetParam();
    std::vector<void*> blocks(of.count);
    for (void*& block : blocks)
        block = pool_.try_allocate(of.bytes, 8);
    ASSERT_NE(blocks.back(), nullptr);
    if (of.freed == freeing_order::last_first)
        std::reverse(blocks.begin(), blocks.end());
    if (of.freed == freeing_order::random)
        std::shuffle(blocks.begin(), blocks.end(), std::mt19937(1));
    test::free_all(pool_, blocks, of.bytes);
    EXPECT_EQ(pool_.statistics().in_use, 0u);
    EXPECT_LE(pool_.statistics().held, test::pool_state_size + 4 * 72_KiB);
    EXPECT_EQ(pool_.check(), nullptr);
}

/// The last blocks to be freed fit the list, each the only one of its slab that is left: no call
/// goes out of line that could notice.
TEST_F(memory_returns_by_trim, of_slabs_that_blocks_in_a_list_keep) {
    if (test::address_sanitized)
        GTEST_SKIP() << "every list is empty under AddressSanitizer";
    constexpr std::size_t in_a_slab = 64_KiB / 64;
    std::vector<void*> all(700 * in_a_slab);
    for (void*& block : all)
        block = pool_.try_allocate(64);
    ASSERT_NE(all.back(), nullptr);
    std::vector<void*> last;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (i % in_a_slab == 5)
            last.push_back(all[i]);
        else
            pool_.deallocate(all[i], 64);
    }
    std::vector<void*> taken; // all that is in the list, or its surplus
    for (std::uint32_t left = pool_.statistics().classes[of_64].cached; left != 0; --left)
        taken.push_back(pool_.try_allocate(64));
    test::free_all(pool_, last, 64);
    test::free_all(pool_, taken, 64);
    EXPECT_EQ(pool_.statistics().in_use, 0u);
    EXPECT_GT(pool_.statistics().held, 10_MiB); // or the history shows nothing any more

    pool_.trim();
    EXPECT_EQ(pool_.statistics().held, test::pool_state_size);
    EXPECT_EQ(pool_.check(), nullptr);
}

TEST_F(memory_returns_by_trim, but_for_reserves_and_blocks_in_use) {
    pool_.reserve(48, 10'000);
    void* const block = pool_.try_allocate(1024);
    const std::size_t held = pool_.statistics().held;
    pool_.deallocate(pool_.try_allocate(64), 64);
    pool_.deallocate(pool_.try_allocate(16_KiB), 16_KiB);
    EXPECT_GT(pool_.statistics().held, held);
    pool_.trim();
    EXPECT_LE(pool_.statistics().held, held); // less by the part of a slab never used
    const std::uint64_t visits = pool_.statistics().arena_visits;
    std::vector<void*> reserved(10'000);
    for (void*& each : reserved)
        each = pool_.try_allocate(48);
    EXPECT_EQ(pool_.statistics().arena_visits, visits);
    EXPECT_EQ(pool_.check(), nullptr);
    test::free_all(pool_, reserved, 48);
    pool_.deallocate(block, 1024);
}

/// A reserve of a few blocks keeps as many, not the whole slab that is being cut.
TEST_F(memory_returns_by_trim, of_slabs_that_a_reserve_has_no_need_of) {
    void* const block = pool_.try_allocate(64);
    pool_.reserve(64, 1);
    const std::size_t held = pool_.statistics().held;
    std::vector<void*> more(1100);
    for (void*& each : more)
        each = pool_.try_allocate(64);
    test::free_all(pool_, more, 64);
    EXPECT_GT(pool_.statistics().held, held);
    pool_.trim();
    EXPECT_LE(pool_.statistics().held, held);
    EXPECT_EQ(pool_.check(), nullptr);

    const std::uint64_t visits = pool_.statistics().arena_visits;
    void* const reserved = pool_.try_allocate(64);
    EXPECT_EQ(pool_.statistics().arena_visits, visits);
    pool_.deallocate(reserved, 64);
    pool_.deallocate(block, 64);
}

/// What is reserved may be in the part of a slab that was never used.
TEST_F(memory_returns_by_trim, leaves_a_reserve_that_is_not_cut_so_far) {
    void* const block = pool_.try_allocate(64);
    pool_.reserve(64, 500);
    pool_.trim();
    EXPECT_EQ(pool_.check(), nullptr);
    const std::uint64_t visits = pool_.statistics().arena_visits;
    std::vector<void*> reserved(500);
    for (void*& each : reserved)
        each = pool_.try_allocate(64);
    EXPECT_EQ(pool_.statistics().arena_visits, visits);
    test::free_all(pool_, reserved, 64);
    pool_.deallocate(block, 64);
}

/// The same before a request is refused.
TEST_F(memory_returns_by_trim, happens_to_reserved_classes_when_memory_runs_out) {
    void* const block = pool_.try_allocate(64);
    pool_.reserve(64, 1);
    std::vector<void*> more(1100);
    for (void*& each : more)
        each = pool_.try_allocate(64);
    std::vector<void*> rest;
    while (void* const each = memory_.try_allocate(4_KiB))
        rest.push_back(each);
    test::free_all(pool_, more, 64);
    void* const served = pool_.try_allocate(32_KiB);
    EXPECT_NE(served, nullptr);
    EXPECT_EQ(pool_.check(), nullptr);
    if (served != nullptr)
        pool_.deallocate(served, 32_KiB);
    for (void* const each : rest)
        memory_.deallocate_run(each);
    pool_.deallocate(block, 64);
}

/// A request that is refused changes nothing for those that follow: the part never used of a slab
/// stays where blocks of it are all that can be had.
TEST(memory_stays, where_it_is_of_no_use_to_a_refused_request) {
    arena memory{{.capacity = 1_MiB, .lock = lock_policy::off}};
    unsynchronized_pool_resource pool{memory};
    constexpr std::size_t bytes = 4864; // five granules hold four blocks, in part each
    constexpr std::size_t of_bytes = detail::size_classes::of(bytes) - std::size_t{1};
    ASSERT_NE(pool.try_allocate(bytes), nullptr);
    while (const std::size_t left = memory.statistics().largest_free_run)
        ASSERT_NE(memory.try_allocate(left), nullptr);
    while (pool.statistics().classes[of_bytes].free > 1)
        ASSERT_NE(pool.try_allocate(bytes), nullptr);
    ASSERT_EQ(pool.statistics().classes[of_bytes].free, 1u);

    EXPECT_EQ(pool.try_allocate(bytes + 1), nullptr);
    EXPECT_EQ(pool.try_allocate(64_KiB, 64_KiB), nullptr);
    EXPECT_EQ(pool.statistics().classes[of_bytes].free, 1u);
    EXPECT_EQ(pool.statistics().largest_block, bytes);
    EXPECT_NE(pool.try_allocate(bytes - 500), nullptr); // of a smaller class, which has no slab
    EXPECT_EQ(pool.check(), nullptr);
}

/// And it goes to whoever can use it, once that is all there is.
TEST(memory_returns_when_it_runs_out, of_a_slab_that_was_never_used_to_its_end) {
    arena memory{{.capacity = 128_MiB, .lock = lock_policy::off}};
    for (const std::size_t wanted : {16u, 1024u, 4096u, 12'288u, 20'480u, 61'440u, 65'536u}) {
        unsynchronized_pool_resource pool{memory};
        void* const first = pool.try_allocate(64);
        ASSERT_EQ(pool.statistics().held, test::pool_state_size + 64_KiB);
        std::vector<void*> rest;
        while (const std::size_t left = memory.statistics().largest_free_run)
            rest.push_back(memory.try_allocate(left));
        void* const served = pool.try_allocate(wanted);
        EXPECT_EQ(served != nullptr, wanted <= 60_KiB) << wanted;
        EXPECT_EQ(pool.check(), nullptr);
        if (served != nullptr)
            pool.deallocate(served, wanted);
        pool.deallocate(first, 64);
        for (void* const run : rest)
            memory.deallocate_run(run);
    }
    EXPECT_EQ(memory.statistics().in_use, 0u);
}

std::vector<returned_history> histories() {
    std::vector<returned_history> all;
    for (const freeing_order freed :
         {freeing_order::last_first, freeing_order::first_first, freeing_order::random})
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
