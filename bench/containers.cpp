/// Containers of every kind that the standard library has, with the allocator as a template
/// argument (a contestant's own standard allocator where it has one) and as a
/// std::pmr::memory_resource.
///
/// Bias: the container's own work (comparing, hashing, misses on its nodes) is timed too, and is
/// most of the time of std::map; a contestant gains by placing nodes close to each other.
#include "contestants/all.hpp"
#include "contestants/behind_pmr.hpp"
#include "random.hpp"
#include "support/suite.hpp"
#include "workloads.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <forward_list>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace {

using namespace resident::bench;

/// Names an allocator type for T, and makes one: by the contestant's type.
template <class C>
struct by_type {
    template <class T>
    using allocator = decltype(allocator_of<T>(std::declval<C&>()));
    template <class T>
    static allocator<T> make(C& heap) {
        return allocator_of<T>(heap);
    }
};

/// The same behind std::pmr.
template <class C>
struct by_resource {
    template <class T>
    using allocator = std::pmr::polymorphic_allocator<T>;
    template <class T>
    static allocator<T> make(behind_pmr<C>& heap) {
        return &heap.resource();
    }
};

using number = std::uint64_t;

/// Containers of numbers on allocators of `Way`.
template <class Way>
struct containers {
    template <class T>
    using allocator = typename Way::template allocator<T>;
    using pair = std::pair<const number, number>;

    using vector = std::vector<number, allocator<number>>;
    using deque = std::deque<number, allocator<number>>;
    using list = std::list<number, allocator<number>>;
    using forward_list = std::forward_list<number, allocator<number>>;
    using string = std::basic_string<char, std::char_traits<char>, allocator<char>>;
    using set = std::set<number, std::less<>, allocator<number>>;
    using multiset = std::multiset<number, std::less<>, allocator<number>>;
    using map = std::map<number, number, std::less<>, allocator<pair>>;
    using multimap = std::multimap<number, number, std::less<>, allocator<pair>>;
    using unordered_set =
        std::unordered_set<number, std::hash<number>, std::equal_to<>, allocator<number>>;
    using unordered_multiset =
        std::unordered_multiset<number, std::hash<number>, std::equal_to<>, allocator<number>>;
    using unordered_multimap = std::unordered_multimap<number, number, std::hash<number>,
                                                       std::equal_to<>, allocator<pair>>;
    /// Each entry is a node and the 40 characters of its string.
    using map_to_strings = std::unordered_map<number, string, std::hash<number>, std::equal_to<>,
                                              allocator<std::pair<const number, string>>>;
};

/// A queue of 64 elements: one goes in at the back, one out at the front.
template <class Heap, class Way, class Queue>
void queue(benchmark::State& state) {
    const auto heap = std::make_unique<Heap>();
    Queue queue(Way::template make<number>(*heap));
    queue.resize(64);
    number next = 0;
    for ([[maybe_unused]] auto _ : state) {
        queue.push_back(next++);
        queue.pop_front();
        use(&queue);
    }
}

/// Every second step puts one of 64 elements in, the others take it out.
template <class Heap, class Way, class Stack>
void stack(benchmark::State& state) {
    const auto heap = std::make_unique<Heap>();
    Stack stack(Way::template make<number>(*heap));
    stack.resize(64);
    number next = 0;
    for ([[maybe_unused]] auto _ : state) {
        stack.push_front(next++);
        use(&stack);
        stack.pop_front();
        use(&stack);
    }
}

/// Grows from nothing to 256 elements, one by one, and is destroyed.
template <class Heap, class Way, class Sequence>
void growth(benchmark::State& state) {
    using value = typename Sequence::value_type;
    const auto heap = std::make_unique<Heap>();
    for ([[maybe_unused]] auto _ : state) {
        Sequence grown(Way::template make<value>(*heap));
        for (unsigned count = 0; count != 256; ++count) {
            grown.push_back(static_cast<value>(count));
        }
        use(grown.data());
    }
}

/// What a key is in the container.
template <class Container>
typename Container::value_type entry(number key, const auto& allocator) {
    if constexpr (!requires { typename Container::mapped_type; }) {
        return key;
    } else if constexpr (std::is_same_v<typename Container::mapped_type, number>) {
        return {key, key};
    } else {
        using string = typename Container::mapped_type;
        return {key, string(40, static_cast<char>('a' + key % 26), allocator)};
    }
}

/// 8 192 random keys: one of them goes, a new one comes.
template <class Heap, class Way, class Container>
void keys(benchmark::State& state) {
    constexpr std::uint32_t count = 8192;
    const auto heap = std::make_unique<Heap>();
    Container table(Way::template make<typename Container::value_type>(*heap));
    if constexpr (requires { table.reserve(count); }) {
        table.reserve(count);
    }
    const auto characters = Way::template make<char>(*heap);
    random_stream random{21};
    std::vector<number> keys(count);
    for (number& key : keys) {
        key = random.next();
        table.insert(entry<Container>(key, characters));
    }
    for ([[maybe_unused]] auto _ : state) {
        number& key = keys[random.below(count)];
        table.erase(key);
        key = random.next();
        table.insert(entry<Container>(key, characters));
        use(&table);
    }
}

constexpr std::string_view own_work =
    "the container's own work and its waiting for memory are timed too, and of ordered containers "
    "are most of it; a contestant gains by placing nodes close to each other";

void add_sequences(suite& benchmarks) {
    benchmarks.table({.key = "sequences",
                      .title =
                          "Sequences of the allocator's type. vector, string: grow to 256\n"
                          "elements from nothing; deque, list: a queue of 64; forward_list (fwd):\n"
                          "one in, one out",
                      .unit = "ns a growth, or one in and one out",
                      .bias = own_work});
    for_each_contestant(all_contestants{}, [&]<class C>() {
        using way = by_type<C>;
        using of = containers<way>;
        benchmarks.add<C>("vector", growth<C, way, typename of::vector>);
        benchmarks.add<C>("string", growth<C, way, typename of::string>);
        benchmarks.add<C>("deque", queue<C, way, typename of::deque>);
        benchmarks.add<C>("list", queue<C, way, typename of::list>);
        benchmarks.add<C>("fwd list", stack<C, way, typename of::forward_list>);
    });
}

/// The kinds of containers that are found by a key.
template <class Way>
struct ordered {
    using set = typename containers<Way>::set;
    using multiset = typename containers<Way>::multiset;
    using map = typename containers<Way>::map;
    using multimap = typename containers<Way>::multimap;
};
template <class Way>
struct unordered {
    using set = typename containers<Way>::unordered_set;
    using multiset = typename containers<Way>::unordered_multiset;
    using map = typename containers<Way>::map_to_strings;
    using multimap = typename containers<Way>::unordered_multimap;
};

template <template <class> class Kinds>
void add_keyed(suite& benchmarks, std::string_view key, std::string_view title) {
    benchmarks.table({.key = key,
                      .title = title,
                      .unit = "ns to take one out and put one in",
                      .bias = own_work});
    for_each_contestant(all_contestants{}, [&]<class C>() {
        using way = by_type<C>;
        using of = Kinds<way>;
        benchmarks.add<C>("set", keys<C, way, typename of::set>);
        benchmarks.add<C>("multiset", keys<C, way, typename of::multiset>);
        benchmarks.add<C>("map", keys<C, way, typename of::map>);
        benchmarks.add<C>("multimap", keys<C, way, typename of::multimap>);
    });
}

void add_pmr(suite& benchmarks) {
    benchmarks.table({.key = "pmr-containers",
                      .title = "The same containers of std::pmr, one of each kind",
                      .unit = "ns a growth of the vector, or one in and one out",
                      .bias = own_work});
    for_each_contestant(all_contestants{}, [&]<class C>() {
        using heap = behind_pmr<C>;
        using way = by_resource<C>;
        using of = containers<way>;
        benchmarks.add<C>("vector", growth<heap, way, typename of::vector>);
        benchmarks.add<C>("deque", queue<heap, way, typename of::deque>);
        benchmarks.add<C>("list", queue<heap, way, typename of::list>);
        benchmarks.add<C>("map", keys<heap, way, typename of::map>);
        benchmarks.add<C>("unordered", keys<heap, way, typename of::map_to_strings>);
    });
}

} // namespace

int main(int argc, char** argv) {
    suite benchmarks{{"throughput", "containers", "Throughput: containers"}};
    add_sequences(benchmarks);
    add_keyed<ordered>(benchmarks, "ordered",
                       "Ordered containers of the allocator's type, of 8 192 random keys");
    add_keyed<unordered>(benchmarks, "unordered",
                         "Unordered containers of the allocator's type, of 8 192 random keys;\n"
                         "those of the map each with a string of 40 characters");
    add_pmr(benchmarks);
    return benchmarks.run(argc, argv);
}
