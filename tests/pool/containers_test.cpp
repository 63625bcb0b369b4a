// Concerns: every alias of containers.hpp is a working container whose elements lie in its pool,
// which serves as much again when they are gone; a moved container keeps its pool.
// Plan: each alias is filled, read, partly erased, copied and moved; the pool's statistics and
// owns() say where the elements are.

#include <resident/containers.hpp>

#include <gtest/gtest.h>

#include <iterator>
#include <numeric>

namespace resident {
namespace {

using namespace resident::literals;

constexpr int count = 300;

class containers : public testing::Test {
protected:
    /// `add` puts number 0, 1, ... into the container; `erase_half` leaves half of them.
    template <class Container, class Add, class Erase>
    void fill_copy_and_move(Add add, Erase erase_half) {
        const std::size_t nothing = pool_.statistics().in_use;
        {
            Container filled{pool_};
            for (int i = 0; i < count; ++i)
                add(filled, i);
            expect_all_here(filled, count);
            Container copy(filled);
            erase_half(copy);
            expect_all_here(copy, count / 2);
            const std::size_t in_use = pool_.statistics().in_use;
            const auto* const first = std::addressof(*copy.begin());
            Container moved(std::move(copy));
            EXPECT_EQ(std::addressof(*moved.begin()), first);
            EXPECT_EQ(moved.get_allocator().resource(), &pool_);
            filled = std::move(moved);
            EXPECT_EQ(std::addressof(*filled.begin()), first);
            expect_all_here(filled, count / 2);
            EXPECT_LT(pool_.statistics().in_use, in_use);
        }
        EXPECT_EQ(pool_.statistics().in_use, nothing);
        EXPECT_STREQ(pool_.check(), nullptr);
    }

    template <class Container>
    void expect_all_here(const Container& container, int expected) {
        EXPECT_EQ(std::distance(container.begin(), container.end()), expected);
        for (const auto& each : container)
            EXPECT_TRUE(pool_.owns(std::addressof(each)));
    }

    arena memory_{{.capacity = 1_MiB}};
    unsynchronized_pool_resource pool_{memory_};
};

const auto push_one = [](auto& container, int i) { container.push_back(i); };
const auto insert_one = [](auto& container, int i) { container.insert(i); };
const auto insert_pair = [](auto& container, int i) { container.emplace(i, -i); };
const auto erase_range = [](auto& container) {
    container.erase(container.begin(), std::next(container.begin(), count / 2));
};

TEST_F(containers, of_sequences) {
    fill_copy_and_move<vector<int>>(push_one, erase_range);
    fill_copy_and_move<deque<int>>(push_one, erase_range);
    fill_copy_and_move<list<int>>(push_one, erase_range);
    fill_copy_and_move<forward_list<int>>([](auto& container, int i) { container.push_front(i); },
                                          [](auto& container) {
                                              container.erase_after(
                                                  container.before_begin(),
                                                  std::next(container.begin(), count / 2));
                                          });
}

TEST_F(containers, of_ordered_keys) {
    fill_copy_and_move<set<int>>(insert_one, erase_range);
    fill_copy_and_move<multiset<int, std::greater<>>>(insert_one, erase_range);
    fill_copy_and_move<map<int, int>>(insert_pair, erase_range);
    fill_copy_and_move<multimap<int, int>>(insert_pair, erase_range);
}

TEST_F(containers, of_hashed_keys) {
    fill_copy_and_move<unordered_set<int>>(insert_one, erase_range);
    fill_copy_and_move<unordered_multiset<int>>(insert_one, erase_range);
    fill_copy_and_move<unordered_map<int, int>>(insert_pair, erase_range);
    fill_copy_and_move<unordered_multimap<int, int>>(insert_pair, erase_range);
}

TEST_F(containers, of_hashed_strings) {
    unordered_map<string, int> numbers{pool_};
    numbers.emplace(string{"one", pool_}, 1);
    EXPECT_EQ(numbers.at(string{"one", pool_}), 1);
    EXPECT_EQ(std::hash<string>{}(string{"one", pool_}), std::hash<std::string>{}("one"));
    EXPECT_TRUE((unordered_set<wstring>{pool_}.empty()));
    EXPECT_TRUE((unordered_set<u8string>{pool_}.empty()));
    EXPECT_TRUE((unordered_set<u16string>{pool_}.empty()));
    EXPECT_TRUE((unordered_set<u32string>{pool_}.empty()));
}

TEST_F(containers, of_characters) {
    const auto push_letter = [](auto& text, int i) {
        text.push_back(
            static_cast<typename std::decay_t<decltype(text)>::value_type>('a' + i % 26));
    };
    fill_copy_and_move<string>(push_letter, erase_range);
    fill_copy_and_move<wstring>(push_letter, erase_range);
    fill_copy_and_move<u8string>(push_letter, erase_range);
    fill_copy_and_move<u16string>(push_letter, erase_range);
    fill_copy_and_move<u32string>(push_letter, erase_range);
}

TEST_F(containers, hold_what_was_put_in) {
    unordered_map<int, string> names{pool_};
    for (int i = 0; i < count; ++i)
        names.emplace(i, string("the number " + std::to_string(i) + " in words", pool_));
    EXPECT_EQ(names.at(123), "the number 123 in words");
    map<string, int> sorted{pool_};
    for (const auto& [number, name] : names)
        sorted.emplace(name, number);
    EXPECT_EQ(sorted.begin()->second, 0);
    EXPECT_EQ(sorted.size(), names.size());
}

TEST_F(containers, begin_with_a_list_beside_the_pool) {
    const map<int, int> one{{{1, 2}}, &pool_}; // with the pool itself it is ambiguous
    const map<int, int> two{{{1, 2}, {3, 4}}, pool_};
    const set<int> three{{1, 2, 3}, pool_};
    EXPECT_EQ(one.get_allocator(), two.get_allocator());
    EXPECT_EQ(one.size() + two.size() + three.size(), 6u);
}

TEST_F(containers, through_std_pmr_are_served_by_the_same_pool) {
    const std::size_t nothing = pool_.statistics().in_use;
    {
        std::pmr::unordered_map<int, std::pmr::string> names(&pool_);
        for (int i = 0; i < count; ++i)
            names.emplace(i, "a name that is too long for the string itself");
        EXPECT_GT(pool_.statistics().in_use, count * 46u);
        EXPECT_TRUE(pool_.owns(names.at(7).data()));
        const list<int> beside({1, 2, 3}, pool_); // both kinds share it
        EXPECT_TRUE(pool_.owns(&beside.front()));
    }
    EXPECT_EQ(pool_.statistics().in_use, nothing);
}

} // namespace
} // namespace resident
