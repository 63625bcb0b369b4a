// What footprint, node_size and reserve tell is so.
//
// Concerns: the capacity is the smallest on which the program runs, for each standard container and
// by either kind of allocator; peaks are exact, also of what is freed again; the program sees no
// refusal, whatever it does; its own exceptions pass; memory that is not there is told with the
// numbers; nodes have the size that the allocator was asked for; what is reserved visits no arena.
// The bound has a test of its own, footprint_bound_test.cpp.
//
// Plan: run again on the capacity and on one granule less; compare nodes with a resource that
// writes down what is requested; count visits after reserving.
#include "os/kernel.hpp"
#include "resident/containers.hpp"
#include "resident/footprint.hpp"
#include "support/build.hpp"
#include "support/fake_machine.hpp"
#include "support/unlocked_arena.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <memory_resource>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace resident::test {
namespace {

using namespace resident::literals;
using testing::HasSubstr;

std::size_t peak_of(const footprint_report& report, std::size_t block_size) {
    for (const size_class_footprint& each : report.classes)
        if (each.block_size == block_size)
            return each.peak;
    return 0;
}

std::size_t classes_in_use(const footprint_report& report) {
    return static_cast<std::size_t>(
        std::count_if(report.classes.begin(), report.classes.end(),
                      [](const size_class_footprint& each) { return each.peak != 0; }));
}

/// Whether a pool on an arena of this capacity fills the container without a refusal.
template <class Container>
bool fits(std::size_t capacity, std::size_t count) {
    arena memory(unlocked(capacity));
    unsynchronized_pool_resource pool(memory, std::pmr::new_delete_resource());
    std::size_t from_heap = 0;
    {
        Container container{typename Container::allocator_type(&pool)};
        if constexpr (requires { container.reserve(count); })
            container.reserve(count);
        for (std::size_t index = 0; index < count; ++index) {
            detail::add_element{}(container, index);
            from_heap = std::max(from_heap, pool.statistics().upstream);
        }
    }
    return from_heap == 0;
}

// Every container, by either kind of allocator.

template <class Container>
class Footprint : public testing::Test {};

struct order {
    double price;
    std::int64_t amount;
    char text[24];
};

using containers = testing::Types<
    resident::vector<int>, resident::deque<int>, resident::list<int>, resident::forward_list<int>,
    resident::set<int>, resident::multiset<int>, resident::map<int, order>,
    resident::multimap<int, int>, resident::unordered_set<int>, resident::unordered_map<int, order>,
    resident::unordered_multimap<int, char>, resident::string, std::pmr::vector<order>,
    std::pmr::deque<order>, std::pmr::list<order>, std::pmr::forward_list<char>,
    std::pmr::set<std::pmr::string>, std::pmr::map<std::pmr::string, int>,
    std::pmr::unordered_set<long>, std::pmr::unordered_map<std::pmr::string, std::pmr::string>,
    std::pmr::string, std::pmr::u32string>;
TYPED_TEST_SUITE(Footprint, containers);

TYPED_TEST(Footprint, IsTheSmallestCapacityThatIsEnough) {
    constexpr std::size_t count = 3000;
    const footprint_report report = footprint<TypeParam>(count);
    EXPECT_TRUE(report.verified);
    EXPECT_TRUE(fits<TypeParam>(report.capacity, count)) << report.capacity;
    EXPECT_FALSE(fits<TypeParam>(report.capacity - arena::granule_size, count)) << report.capacity;
    EXPECT_EQ(report.capacity % arena::granule_size, 0U);
    EXPECT_GE(report.capacity, report.peak_held);
    EXPECT_GE(report.peak_held, report.peak_in_use);
    EXPECT_GE(report.peak_in_use, report.peak_requested);
    EXPECT_EQ(report.memlock, arena::memlock_needed({.capacity = report.capacity}));
    EXPECT_GT(report.memlock, report.capacity);
    EXPECT_LE(report.capacity, report.bound);
}

TYPED_TEST(Footprint, OfNoElementsIsThePoolAlone) {
    const footprint_report report = footprint<TypeParam>(0);
    EXPECT_TRUE(fits<TypeParam>(report.capacity, 0));
    EXPECT_LE(report.capacity, 32_KiB);
}

TYPED_TEST(Footprint, ReserveSparesEveryVisit) {
    constexpr std::size_t count = 3000;
    arena memory(unlocked(4_MiB));
    unsynchronized_pool_resource pool(memory);
    const std::size_t runs = reserve<TypeParam>(pool, count);
    const std::uint64_t before = pool.statistics().arena_visits;
    {
        TypeParam container{typename TypeParam::allocator_type(&pool)};
        if constexpr (requires { container.reserve(count); })
            container.reserve(count);
        for (std::size_t index = 0; index < count; ++index)
            detail::add_element{}(container, index);
    }
    const std::uint64_t visits = pool.statistics().arena_visits - before;
    if (runs == 0)
        EXPECT_EQ(visits, 0U);
    else
        EXPECT_EQ(visits, 2U) << "its one array, there and back";
    EXPECT_EQ(pool.statistics().failures, 0U);
}

// The nodes.

/// Writes down the size of the last single object that was requested.
struct node_watch final : std::pmr::memory_resource {
    std::size_t first = 0;
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        if (first == 0)
            first = bytes;
        return std::pmr::new_delete_resource()->allocate(bytes, alignment);
    }
    void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override {
        std::pmr::new_delete_resource()->deallocate(block, bytes, alignment);
    }
    [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
        return this == &other;
    }
};

template <class Container>
void expect_first_request_of_an_element() {
    node_watch watch;
    Container container(&watch);
    watch.first = 0;
    detail::add_element{}(container, 0);
    const node_footprint node = node_size<Container>();
    EXPECT_EQ(node.bytes, watch.first);
    EXPECT_GE(node.block_size, node.bytes);
    EXPECT_LE(node.block_size, node.bytes + node.bytes / 4 + 8);
}

TEST(NodeSize, IsWhatTheAllocatorIsAskedFor) {
    expect_first_request_of_an_element<std::pmr::list<int>>();
    expect_first_request_of_an_element<std::pmr::list<order>>();
    expect_first_request_of_an_element<std::pmr::forward_list<char>>();
    expect_first_request_of_an_element<std::pmr::set<int>>();
    expect_first_request_of_an_element<std::pmr::map<std::pmr::string, order>>();
    expect_first_request_of_an_element<std::pmr::unordered_set<std::int64_t>>();
    expect_first_request_of_an_element<std::pmr::unordered_map<int, order>>();
    expect_first_request_of_an_element<std::pmr::unordered_multimap<std::pmr::string, int>>();
}

TEST(NodeSize, IsTheSameByEitherAllocator) {
    EXPECT_EQ((node_size<resident::map<int, order>>().bytes),
              (node_size<std::pmr::map<int, order>>().bytes));
    EXPECT_EQ((node_size<resident::unordered_set<int>>().bytes),
              (node_size<std::pmr::unordered_set<int>>().bytes));
}

TEST(NodeSize, OfADequeIsItsChunk) {
#if defined(__GLIBCXX__)
    EXPECT_EQ(node_size<resident::deque<char>>().bytes, 512U);
    EXPECT_EQ(node_size<std::pmr::deque<int>>().bytes, 512U);
#endif
    struct large {
        char content[3000];
    };
    EXPECT_EQ(node_size<std::pmr::deque<large>>().bytes % sizeof(large), 0U);
}

TEST(NodeSize, TellsAlignmentAndRuns) {
    struct alignas(64) line {
        char content[64];
    };
    const node_footprint aligned = node_size<resident::list<line>>();
    EXPECT_EQ(aligned.alignment, 64U);
    EXPECT_EQ(aligned.block_size % 64, 0U);
    struct table {
        char content[100'000];
    };
    EXPECT_EQ(node_size<resident::list<table>>().block_size, 25 * arena::granule_size);
}

TEST(NodeSize, IsRefusedWhereNothingIsRequested) {
    const auto refused =
        try_node_size<resident::list<int>>([](resident::list<int>&, std::size_t) {});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what(), HasSubstr("requested nothing for 65536 elements"));
}

// The peaks.

TEST(FootprintPeaks, AreExact) {
    const footprint_report report = footprint([](unsynchronized_pool_resource& pool) {
        std::vector<void*> blocks;
        for (int round = 0; round < 3; ++round) {
            for (int index = 0; index < 100; ++index)
                blocks.push_back(pool.allocate(40, 8));
            void* const other = pool.allocate(40, 16); // blocks of 40 bytes are aligned to 8
            pool.deallocate(other, 40, 16);
            for (void* block : blocks)
                pool.deallocate(block, 40, 8);
            blocks.clear();
        }
        void* const empty = pool.try_allocate(0);
        pool.deallocate(empty, 0);
        void* const first = pool.allocate(200_KiB);
        void* const second = pool.allocate(70_KiB, 32_KiB);
        pool.deallocate(first, 200_KiB);
        pool.deallocate(second, 70_KiB, 32_KiB);
    });
    EXPECT_EQ(peak_of(report, 40), 100U);
    EXPECT_EQ(peak_of(report, 48), 1U);
    EXPECT_EQ(peak_of(report, 16), 1U);
    EXPECT_EQ(classes_in_use(report), 3U);
    EXPECT_EQ(report.runs.peak, 2U);
    EXPECT_EQ(report.runs.peak_bytes, 272_KiB);
    EXPECT_EQ(report.runs.longest, 200_KiB);
    EXPECT_FALSE(report.runs.equal);
    EXPECT_EQ(report.peak_in_use, 272_KiB);
    EXPECT_EQ(report.peak_requested, 270_KiB);
}

TEST(FootprintPeaks, FollowThePoolsOptions) {
    const auto use = [](std::pmr::memory_resource* memory) {
        void* const block = memory->allocate(3000);
        memory->deallocate(block, 3000);
    };
    EXPECT_EQ(footprint(use).runs.peak, 0U);
    const footprint_report report = footprint(use, {.pool = {.largest_required_pool_block = 1000}});
    EXPECT_EQ(report.runs.peak, 1U);
    EXPECT_EQ(report.runs.longest, arena::granule_size);
}

TEST(FootprintOfAProgram, RunsOnceIfAsked) {
    int runs = 0;
    const auto use = [&runs](std::pmr::memory_resource* memory) {
        ++runs;
        std::pmr::list<int> list(1000, memory);
    };
    const footprint_report once = footprint(use, {.run_once = true});
    EXPECT_EQ(runs, 1);
    EXPECT_FALSE(once.verified);
    EXPECT_EQ(once.capacity, once.bound);
    EXPECT_EQ(once.peak_held, 0U);
    const footprint_report verified = footprint(use);
    EXPECT_EQ(verified.bound, once.bound);
    EXPECT_GE(runs, 3);
}

TEST(FootprintOfAProgram, CountsWhatIsLeftBehindAndFreesIt) {
    const footprint_report report = footprint([](unsynchronized_pool_resource& pool) {
        for (int index = 0; index < 10; ++index)
            (void)pool.allocate(100'000);
    });
    EXPECT_EQ(report.runs.peak, 10U);
    EXPECT_TRUE(report.runs.equal);
    EXPECT_EQ(report.capacity, report.bound) << "equal runs leave no gap";
}

#if defined(__cpp_exceptions)
TEST(FootprintOfAProgram, PassesItsExceptions) {
    EXPECT_THROW((void)footprint([](unsynchronized_pool_resource& pool) {
                     std::pmr::list<int> list(10, &pool);
                     throw 42;
                 }),
                 int);
}
#endif

TEST(FootprintOfAContainer, TakesAFunctionThatFills) {
    using names = std::pmr::map<int, std::pmr::string>;
    const footprint_report report = footprint<names>(100, [](names& container, std::size_t index) {
        container[static_cast<int>(index)] = "a text that needs memory of its own, as all do";
    });
    EXPECT_EQ(classes_in_use(report), 2U);
    EXPECT_EQ(peak_of(report, 48), 100U);
}

// Other keys are refused when compiling, and a function that fills is asked for.
static_assert(detail::is_made_from_text<std::string, resident::set<std::string>>());
static_assert(detail::is_made_from_text<resident::string, resident::set<resident::string>>());
static_assert(!detail::is_made_from_text<std::string_view, resident::set<std::string_view>>());

TEST(FootprintOfAContainer, FillsItWithWhatNeedsThePoolToo) {
    EXPECT_TRUE((footprint<resident::set<resident::string>>(10).verified));
    EXPECT_TRUE((footprint<resident::vector<resident::string>>(10).verified));
    EXPECT_TRUE((footprint<resident::forward_list<resident::string>>(10).verified));
    EXPECT_TRUE((footprint<resident::map<int, resident::string>>(10).verified));
    EXPECT_TRUE((footprint<resident::unordered_map<resident::string, int>>(10).verified));
    using scoped = std::vector<resident::string, scoped_allocator<resident::string>>;
    EXPECT_TRUE((footprint<scoped>(10).verified));
}

TEST(FootprintOfAContainer, IsRefusedIfElementsAreLost) {
    const auto refused = try_footprint<resident::set<char>>(300);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what(), HasSubstr("256 of 300 elements"));
}

TEST(FootprintOfAProgram, IsRefusedWithTheNumbersIfMemoryIsShort) {
    if (!has_exceptions)
        GTEST_SKIP() << "the program cannot be unwound without exceptions";
    if (sanitized)
        GTEST_SKIP() << "a sanitizer has memory of its own";
    fake_machine machine;
    machine.serve("/proc/meminfo", "MemTotal: 65536 kB\nMemAvailable: 51200 kB\n");
    const os::kernel_replacement in_force(machine);
    const auto refused = try_footprint<resident::list<int>>(2'000'000);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().cause(), cause::physical_memory);
    EXPECT_THAT(refused.error().what(), HasSubstr("50 MiB"));
    EXPECT_STRNE(refused.error().remedy(), "");
}

TEST(FootprintOfAProgram, KnowsWhatChecksAdd) {
    const footprint_options checked{.pool = {.checks = check_level::full}};
    const footprint_report report = footprint<std::pmr::list<order>>(1000, {}, checked);
    EXPECT_EQ(peak_of(report, 96), 1000U) << "56 bytes, 32 before and 8 behind";
    arena memory(unlocked(report.bound));
    unsynchronized_pool_resource pool(checked.pool, memory);
    EXPECT_EQ(reserve<std::pmr::list<order>>(pool, 1000), 0U);
    const std::uint64_t before = pool.statistics().arena_visits;
    { const std::pmr::list<order> list(1000, &pool); }
    EXPECT_EQ(pool.statistics().arena_visits, before);
    const auto other = try_reserve(pool, footprint<resident::list<char>>(10));
    ASSERT_FALSE(other);
    EXPECT_THAT(other.error().what(), HasSubstr("no room for the guards"));
}

// Reserving.

TEST(Reserve, OfAProgramCoversAllItsContainers) {
    const auto use = [](unsynchronized_pool_resource& pool) {
        resident::map<int, int> first{&pool};
        std::pmr::list<order> second{&pool};
        for (int index = 0; index < 500; ++index) {
            first[index] = index;
            second.emplace_back();
            if (index % 3 == 0)
                second.pop_front();
        }
    };
    const footprint_report report = footprint(use);
    arena memory(unlocked(report.bound));
    unsynchronized_pool_resource pool(memory);
    reserve(pool, report);
    const std::uint64_t before = pool.statistics().arena_visits;
    for (int repeat = 0; repeat < 10; ++repeat)
        use(pool);
    EXPECT_EQ(pool.statistics().arena_visits, before);
}

TEST(Reserve, TellsWhatCannotBeReserved) {
    arena memory(unlocked(4_MiB));
    unsynchronized_pool_resource pool(memory);
    EXPECT_EQ(reserve<resident::vector<int>>(pool, 16384), 0U);
    EXPECT_EQ(reserve<resident::vector<int>>(pool, 100'000), 392_KiB);
}

TEST(Reserve, IsRefusedWithTheNumbers) {
    arena memory(unlocked(64_KiB));
    unsynchronized_pool_resource pool(memory);
    const auto refused = try_reserve<resident::list<order>>(pool, 10'000);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what(), HasSubstr("no room to reserve 10000 blocks of 64 bytes"));
    EXPECT_THAT(refused.error().what(), HasSubstr("of 65536 bytes are free; a capacity of"));
    unsynchronized_pool_resource small({.largest_required_pool_block = 32}, memory);
    const footprint_report list = footprint<resident::list<order>>(10);
    const auto too_large = try_reserve(small, list);
    ASSERT_FALSE(too_large);
    EXPECT_THAT(too_large.error().what(), HasSubstr("whose largest is 32 bytes"));
}

} // namespace
} // namespace resident::test
