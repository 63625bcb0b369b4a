// Concerns: resident::allocator meets what the standard asks of an allocator, and what
// allocator.hpp says of its own: bound to a pool, equal for the same pool, which a container keeps
// when assigned to by copy and hands on when moved or swapped; objects and elements that take it.
// Plan: the types at compile time; then containers on two pools, each told by its statistics.

#include <resident/containers.hpp>

#include "support/build.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <type_traits>

namespace resident {
namespace {

using namespace resident::literals;

using traits = std::allocator_traits<allocator<int>>;
static_assert(std::is_same_v<traits::rebind_alloc<double>, allocator<double>>);
static_assert(std::is_same_v<std::allocator_traits<allocator<int, arena>>::rebind_alloc<long>,
                             allocator<long, arena>>);
static_assert(std::is_same_v<traits::pointer, int*>);
static_assert(std::is_same_v<traits::size_type, std::size_t>);
static_assert(!traits::propagate_on_container_copy_assignment::value);
static_assert(traits::propagate_on_container_move_assignment::value);
static_assert(traits::propagate_on_container_swap::value);
static_assert(!traits::is_always_equal::value);
static_assert(!std::is_default_constructible_v<allocator<int>>);
static_assert(std::is_nothrow_copy_constructible_v<allocator<int>>);
static_assert(std::is_nothrow_copy_assignable_v<allocator<int>>);
static_assert(std::is_convertible_v<unsynchronized_pool_resource&, allocator<int>>);
static_assert(std::is_convertible_v<unsynchronized_pool_resource*, allocator<int>>);
static_assert(std::is_convertible_v<allocator<char>, allocator<int>>);
static_assert(!std::is_convertible_v<arena&, allocator<int>>);
static_assert(!std::is_convertible_v<allocator<int, arena>, allocator<int>>);
static_assert(std::uses_allocator_v<vector<int>, allocator<double>>);
static_assert(detail::has_static_blocks<unsynchronized_pool_resource>);
static_assert(!detail::has_static_blocks<arena>);

class allocator_of_pools : public testing::Test {
protected:
    arena memory_{{.capacity = 1_MiB}};
    unsynchronized_pool_resource here_{memory_};
    unsynchronized_pool_resource there_{memory_};
    const std::size_t nothing_ = here_.statistics().in_use;
};

TEST_F(allocator_of_pools, is_equal_for_the_same_pool_whatever_the_type) {
    const allocator<int> ints{here_};
    const allocator<double> doubles{ints};
    EXPECT_EQ(doubles.resource(), &here_);
    EXPECT_TRUE(ints == doubles);
    EXPECT_TRUE(ints == allocator<int>{&here_});
    EXPECT_FALSE(ints == allocator<int>{there_});
    EXPECT_TRUE(ints != allocator<double>{there_});
}

TEST_F(allocator_of_pools, gives_aligned_memory_of_its_pool) {
    struct alignas(64) line {
        char bytes[64];
    };
    struct alignas(8192) two_pages {
        char bytes[8192];
    };
    const auto try_type = [&]<class T>(T*) {
        allocator<T> each{here_};
        for (const std::size_t count : {1u, 2u, 7u}) {
            T* const objects = each.allocate(count);
            EXPECT_EQ(reinterpret_cast<std::uintptr_t>(objects) % alignof(T), 0u);
            EXPECT_TRUE(here_.owns(objects));
            EXPECT_FALSE(there_.owns(objects));
            EXPECT_GE(here_.usable_size(objects), count * sizeof(T));
            each.deallocate(objects, count);
            EXPECT_EQ(here_.statistics().in_use, nothing_);
        }
    };
    try_type(static_cast<char*>(nullptr));
    try_type(static_cast<long double*>(nullptr));
    try_type(static_cast<line*>(nullptr));
    try_type(static_cast<two_pages*>(nullptr));
}

TEST_F(allocator_of_pools, works_on_an_arena_too) {
    const std::size_t before = memory_.statistics().in_use;
    {
        std::vector<int, allocator<int, arena>> numbers(1000, 7, memory_);
        EXPECT_TRUE(memory_.owns(numbers.data()));
        EXPECT_EQ(memory_.statistics().in_use, before + 4_KiB);
    }
    EXPECT_EQ(memory_.statistics().in_use, before);
}

#if defined(__cpp_exceptions)
TEST_F(allocator_of_pools, tells_a_count_that_overflows_from_one_that_does_not_fit) {
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
    allocator<long> longs{here_};
    EXPECT_THROW((void)longs.allocate(most), std::bad_array_new_length);
    EXPECT_THROW((void)longs.allocate(most / sizeof(long) + 1), std::bad_array_new_length);
    try {
        (void)longs.allocate(most / sizeof(long));
        ADD_FAILURE() << "served";
    } catch (const std::bad_array_new_length&) {
        ADD_FAILURE() << "this count fits the address space";
    } catch (const std::bad_alloc&) {
    }
    EXPECT_THROW((void)allocator<char>{here_}.allocate(most), std::bad_alloc);
    EXPECT_EQ(here_.statistics().in_use, nothing_);
}
#endif

TEST_F(allocator_of_pools, a_copy_shares_the_pool_and_a_copied_to_container_keeps_its_own) {
    vector<int> source(100, 1, here_);
    EXPECT_EQ(source.get_allocator().select_on_container_copy_construction().resource(), &here_);
    const vector<int> copy = source;
    EXPECT_EQ(copy.get_allocator().resource(), &here_);
    vector<int> target(10, 2, there_);
    target = source;
    EXPECT_EQ(target, source);
    EXPECT_EQ(target.get_allocator().resource(), &there_);
    EXPECT_TRUE(there_.owns(target.data()));
}

TEST_F(allocator_of_pools, a_move_hands_on_the_memory_with_its_pool) {
    vector<int> source(100, 1, here_);
    const int* const data = source.data();
    vector<int> target(10, 2, there_);
    target = std::move(source);
    EXPECT_EQ(target.get_allocator().resource(), &here_);
    EXPECT_EQ(target.data(), data);
    EXPECT_EQ(there_.statistics().in_use, nothing_);
    const vector<int> constructed = std::move(target);
    EXPECT_EQ(constructed.get_allocator().resource(), &here_);
    EXPECT_EQ(constructed.data(), data);
}

TEST_F(allocator_of_pools, a_swap_swaps_the_pools) {
    list<int> one({1, 2, 3}, here_);
    list<int> two({4}, there_);
    const int* const first = &one.front();
    using std::swap;
    swap(one, two);
    EXPECT_EQ(one.get_allocator().resource(), &there_);
    EXPECT_EQ(two.get_allocator().resource(), &here_);
    EXPECT_EQ(&two.front(), first);
    EXPECT_EQ(one.size(), 1u);
}

TEST_F(allocator_of_pools, extended_constructors_take_another_pool) {
    vector<string> source({string("longer than what a string holds itself", here_)}, here_);
    const vector<string> copy(source, there_);
    EXPECT_EQ(copy, source);
    EXPECT_TRUE(there_.owns(copy.data()));
    const string* const element = source.data();
    const vector<string> moved(std::move(source), there_); // element by element
    EXPECT_NE(moved.data(), element);
    EXPECT_TRUE(there_.owns(moved.data()));
    // Without a scoped allocator the elements keep the pool they came with.
    EXPECT_EQ(moved.front().get_allocator().resource(), &here_);
}

/// Takes an allocator as the last argument.
struct order {
    using allocator_type = allocator<std::byte>;
    explicit order(int number, const allocator_type& from) : id(number), name("order", from) {}
    order(const order& other, const allocator_type& from) : id(other.id), name(other.name, from) {}
    order(order&& other, const allocator_type& from) noexcept
        : id(other.id), name(std::move(other.name), from) {}
    int id;
    string name;
};
static_assert(std::uses_allocator_v<order, allocator<int>>);

TEST_F(allocator_of_pools, objects_are_constructed_with_it) {
    const auto made = std::make_obj_using_allocator<order>(allocator<order>{here_}, 7);
    EXPECT_EQ(made.id, 7);
    EXPECT_EQ(made.name.get_allocator().resource(), &here_);
    vector<order> without_scope{here_};
    without_scope.emplace_back(8, there_);
    EXPECT_EQ(without_scope.back().name.get_allocator().resource(), &there_);
}

TEST_F(allocator_of_pools, a_scoped_allocator_hands_the_pool_down) {
    std::vector<order, scoped_allocator<order>> orders{here_};
    orders.emplace_back(1);
    orders.push_back(order(2, there_));
    for (const order& each : orders)
        EXPECT_EQ(each.name.get_allocator().resource(), &here_);

    using texts = std::vector<string, scoped_allocator<string>>;
    using entry = std::pair<const string, texts>;
    std::map<string, texts, std::less<>, scoped_allocator<entry>> by_name{here_};
    by_name[string("a key longer than what a string holds", there_)].emplace_back(
        "and a text that is longer, too");
    const auto& [key, text] = *by_name.begin();
    EXPECT_EQ(key.get_allocator().resource(), &here_);
    EXPECT_EQ(text.get_allocator().resource(), &here_);
    EXPECT_EQ(text.front().get_allocator().resource(), &here_);
    for (const void* place :
         {static_cast<const void*>(&key), static_cast<const void*>(key.data()),
          static_cast<const void*>(text.data()), static_cast<const void*>(text.front().data())})
        EXPECT_TRUE(here_.owns(place));
}

TEST_F(allocator_of_pools, shared_pointers_live_in_the_pool) {
    std::weak_ptr<long> observer;
    {
        const auto shared = std::allocate_shared<long>(allocator<long>{here_}, 42);
        observer = shared;
        EXPECT_TRUE(here_.owns(shared.get()));
        EXPECT_GT(here_.statistics().in_use, nothing_);
        const auto array = std::allocate_shared<int[]>(allocator<int>{here_}, 100);
        EXPECT_TRUE(here_.owns(array.get()));
    }
    EXPECT_TRUE(observer.expired());
    EXPECT_GT(here_.statistics().in_use, nothing_); // the observer's control block
    observer.reset();
    EXPECT_EQ(here_.statistics().in_use, nothing_);
}

TEST_F(allocator_of_pools, nodes_move_between_containers_of_the_same_pool) {
    list<int> one({1, 2, 3}, here_);
    list<int> two(here_);
    const std::size_t in_use = here_.statistics().in_use;
    two.splice(two.end(), one);
    map<int, int> from({{1, 1}, {2, 2}}, here_);
    map<int, int> to(here_);
    to.insert(from.extract(1));
    to.merge(from);
    EXPECT_EQ(to.size(), 2u);
    EXPECT_TRUE(from.empty() && one.empty());
    EXPECT_GT(here_.statistics().in_use, in_use);
    to.clear();
    EXPECT_EQ(here_.statistics().in_use, in_use);
}

} // namespace
} // namespace resident
