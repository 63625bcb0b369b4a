// Concerns: a container that the pool refuses memory, at whichever of an operation's allocations,
// is unchanged, nothing of the attempt is left in the pool, and the same succeeds when there is
// memory.
// Plan: each operation of each kind of container again and again, the whole arena taken away at its
// first allocation, its second, ... until none is left to fail. Where the standard promises less
// (assigning), the container must be usable and nothing may leak.

#include <resident/containers.hpp>

#include "pool/hoard.hpp"

#include <gtest/gtest.h>

#include <optional>

#if defined(__cpp_exceptions)

namespace resident {
namespace {

using namespace resident::literals;

/// A pool that has no memory from a chosen allocation on.
class exhausting_resource {
public:
    explicit exhausting_resource(unsynchronized_pool_resource& pool) : pool_(pool) {}

    void exhaust_at(int allocation) { left_ = allocation; }
    void recover() { left_ = 0, hoard_.reset(); }

    [[nodiscard]] void* allocate(std::size_t bytes, std::size_t alignment) {
        count();
        return pool_.allocate(bytes, alignment);
    }
    void deallocate(void* block, std::size_t bytes, std::size_t alignment) noexcept {
        pool_.deallocate(block, bytes, alignment);
    }
    template <std::size_t Bytes, std::size_t Alignment>
    [[nodiscard]] void* allocate_block() {
        count();
        return pool_.allocate_block<Bytes, Alignment>();
    }
    template <std::size_t Bytes, std::size_t Alignment>
    void deallocate_block(void* block) noexcept {
        pool_.deallocate_block<Bytes, Alignment>(block);
    }

private:
    void count() {
        if (left_ != 0 && --left_ == 0)
            hoard_.emplace(pool_);
    }
    unsynchronized_pool_resource& pool_;
    int left_ = 0;
    std::optional<test::hoard> hoard_;
};
static_assert(detail::has_static_blocks<exhausting_resource>);

template <class T>
using exhausting = allocator<T, exhausting_resource>;

enum class guarantee : std::uint8_t { strong, basic };

class container_guarantee : public testing::Test {
protected:
    /// Returns: how many allocations were refused in turn.
    template <class Container, class Fill, class Operate>
    int refuse_each_allocation(Fill fill, Operate operate, guarantee promised = guarantee::strong) {
        const auto nothing = blocks_in_use();
        for (int allocation = 1;; ++allocation) {
            const bool refused = refuse<Container>(allocation, fill, operate, promised);
            EXPECT_EQ(blocks_in_use(), nothing) << "allocation " << allocation;
            if (!refused || HasFailure())
                return allocation - 1;
        }
    }

private:
    template <class Container, class Fill, class Operate>
    bool refuse(int allocation, Fill fill, Operate operate, guarantee promised) {
        Container container{resource_};
        fill(container);
        const Container before(container);
        const auto in_use = blocks_in_use();
        bool refused = false;
        resource_.exhaust_at(allocation);
        try {
            operate(container);
        } catch (const std::bad_alloc&) {
            refused = true;
        }
        resource_.recover();
        if (refused && promised == guarantee::strong) {
            EXPECT_TRUE(
                std::equal(container.begin(), container.end(), before.begin(), before.end()));
            EXPECT_EQ(blocks_in_use(), in_use) << "allocation " << allocation;
        }
        if (refused)
            operate(container);
        return refused;
    }

    /// Of each class, and bytes in runs.
    [[nodiscard]] std::vector<std::size_t> blocks_in_use() const {
        const pool_statistics statistics = pool_.statistics();
        std::vector<std::size_t> counts{statistics.in_use};
        for (const size_class_statistics& each : statistics.classes)
            counts.push_back(each.in_use);
        return counts;
    }

    arena memory_{{.capacity = 256_KiB}};
    unsynchronized_pool_resource pool_{memory_};
    exhausting_resource resource_{pool_};
};

const auto push = [](auto& container) {
    for (long i = 0; i < 64; ++i)
        container.push_back(i);
};
const auto insert = [](auto& container) {
    for (long i = 0; i < 64; ++i)
        container.insert(i * 10);
};
const auto insert_pairs = [](auto& container) {
    for (long i = 0; i < 64; ++i)
        container.emplace(i * 10, i);
};
const std::vector<long> numbers(200, 7);

TEST_F(container_guarantee, of_vector) {
    using type = std::vector<long, exhausting<long>>;
    const auto fill = [](type& each) { push(each), each.shrink_to_fit(); };
    EXPECT_EQ(refuse_each_allocation<type>(fill, [](type& each) { each.push_back(1); }), 1);
    EXPECT_EQ(refuse_each_allocation<type>(fill, [](type& each) { each.insert(each.begin(), 1); }),
              1);
    EXPECT_EQ(refuse_each_allocation<type>(fill,
                                           [](type& each) {
                                               each.insert(each.begin() + 9, numbers.begin(),
                                                           numbers.end());
                                           }),
              1);
    EXPECT_EQ(refuse_each_allocation<type>(fill, [](type& each) { each.resize(1000); }), 1);
    EXPECT_EQ(refuse_each_allocation<type>(fill, [](type& each) { each.reserve(8000); }), 1);
    EXPECT_EQ(refuse_each_allocation<type>(
                  fill, [](type& each) { each.assign(numbers.begin(), numbers.end()); },
                  guarantee::basic),
              1);
}

TEST_F(container_guarantee, of_deque) {
    using type = std::deque<long, exhausting<long>>;
    const auto push_many = [](type& each) { // until its map of nodes grows, too
        for (int i = 0; i < 64; ++i)
            each.push_back(i);
    };
    const auto fill_a_node = [](type& each) {
        for (int i = 0; i < 63; ++i)
            each.push_back(i);
    };
    // One push at a time is strong; a failure within many leaves those before it.
    EXPECT_EQ(refuse_each_allocation<type>(fill_a_node, [](type& each) { each.push_back(1); }), 1);
    EXPECT_EQ(refuse_each_allocation<type>(push, [](type& each) { each.push_front(1); }), 1);
    EXPECT_GE(refuse_each_allocation<type>(push, push_many, guarantee::basic), 1);
    EXPECT_GE(
        refuse_each_allocation<type>(
            push, [](type& each) { each.insert(each.end(), numbers.begin(), numbers.end()); }),
        3);
    EXPECT_GE(refuse_each_allocation<type>(
                  push, [](type& each) { each.assign(numbers.begin(), numbers.end()); },
                  guarantee::basic),
              2);
}

TEST_F(container_guarantee, of_list) {
    using type = std::list<long, exhausting<long>>;
    EXPECT_EQ(refuse_each_allocation<type>(push, [](type& each) { each.push_back(1); }), 1);
    EXPECT_EQ(
        refuse_each_allocation<type>(
            push, [](type& each) { each.insert(each.begin(), numbers.begin(), numbers.end()); }),
        200);
    EXPECT_EQ(refuse_each_allocation<type>(
                  push, [](type& each) { each.assign(numbers.begin(), numbers.end()); },
                  guarantee::basic),
              200 - 64);
}

TEST_F(container_guarantee, of_forward_list) {
    using type = std::forward_list<long, exhausting<long>>;
    const auto fill = [](type& each) { each.assign(64, 7); };
    EXPECT_EQ(refuse_each_allocation<type>(fill, [](type& each) { each.push_front(1); }), 1);
    EXPECT_EQ(refuse_each_allocation<type>(fill,
                                           [](type& each) {
                                               each.insert_after(each.before_begin(),
                                                                 numbers.begin(), numbers.end());
                                           }),
              200);
}

TEST_F(container_guarantee, of_ordered_keys) {
    using set_type = std::set<long, std::less<>, exhausting<long>>;
    using map_type = std::map<long, long, std::less<>, exhausting<std::pair<const long, long>>>;
    EXPECT_EQ(refuse_each_allocation<set_type>(insert, [](set_type& each) { each.insert(15); }), 1);
    EXPECT_EQ(refuse_each_allocation<map_type>(insert_pairs, [](map_type& each) { each[15] = 1; }),
              1);
    EXPECT_EQ(refuse_each_allocation<map_type>(insert_pairs,
                                               [](map_type& each) { each.try_emplace(15, 1); }),
              1);
}

TEST_F(container_guarantee, of_hashed_keys) {
    using set_type = std::unordered_set<long, std::hash<long>, std::equal_to<>, exhausting<long>>;
    using map_type = std::unordered_map<long, long, std::hash<long>, std::equal_to<>,
                                        exhausting<std::pair<const long, long>>>;
    const auto insert_until_it_rehashes = [](map_type& each) {
        long key = 100'000;
        while (each.size() < each.bucket_count())
            each.emplace(++key, 1);
        each.emplace(-1, 1);
    };
    EXPECT_EQ(refuse_each_allocation<set_type>(insert, [](set_type& each) { each.insert(15); }), 1);
    EXPECT_EQ(refuse_each_allocation<set_type>(insert, [](set_type& each) { each.rehash(5000); }),
              1);
    EXPECT_EQ(refuse_each_allocation<map_type>(insert_pairs, [](map_type& each) { each[15] = 1; }),
              1);
    EXPECT_GE(
        refuse_each_allocation<map_type>(insert_pairs, insert_until_it_rehashes, guarantee::basic),
        2);
    // The node that is there already when rehashing fails.
    const auto fill_to_the_brim = [](map_type& each) {
        for (long key = 0; each.size() < each.bucket_count(); ++key)
            each.emplace(key, key);
    };
    EXPECT_EQ(refuse_each_allocation<map_type>(fill_to_the_brim,
                                               [](map_type& each) { each.emplace(-1, 1); }),
              2);
}

TEST_F(container_guarantee, of_string) {
    using type = std::basic_string<char, std::char_traits<char>, exhausting<char>>;
    const auto fill = [](type& each) { each.assign(64, 'x'), each.shrink_to_fit(); };
    EXPECT_EQ(refuse_each_allocation<type>(fill, [](type& each) { each += "and more"; }), 1);
    EXPECT_EQ(refuse_each_allocation<type>(fill, [](type& each) { each.insert(3, 100, 'y'); }), 1);
    EXPECT_EQ(refuse_each_allocation<type>(fill, [](type& each) { each.assign(5000, 'y'); }), 1);
    EXPECT_EQ(refuse_each_allocation<type>(fill, [](type& each) { each.reserve(5000); }), 1);
}

TEST_F(container_guarantee, of_strings_in_a_vector) {
    using text = std::basic_string<char, std::char_traits<char>, exhausting<char>>;
    using type = std::vector<text, std::scoped_allocator_adaptor<exhausting<text>>>;
    const auto fill = [](type& each) {
        for (int i = 0; i < 8; ++i)
            each.emplace_back(static_cast<std::size_t>(40 + i), 'x');
        each.shrink_to_fit();
    };
    // The vector's own memory and the new string's.
    EXPECT_EQ(refuse_each_allocation<type>(fill, [](type& each) { each.emplace_back(50u, 'y'); }),
              2);
    EXPECT_EQ(refuse_each_allocation<type>(
                  fill, [](type& each) { each.assign(10, text(60, 'z', each.get_allocator())); },
                  guarantee::basic),
              12);
}

} // namespace
} // namespace resident

#endif
