/// Node-based containers of the standard library, with the allocator as a template argument
/// (a contestant's own standard allocator where it has one) and as a std::pmr::memory_resource.
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
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <string>
#include <unordered_map>
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

/// A queue of 64 elements: one goes in at the back, one out at the front.
template <class Heap, class Way>
void list_of_numbers(benchmark::State& state) {
    const auto heap = std::make_unique<Heap>();
    using list = std::list<std::uint64_t, typename Way::template allocator<std::uint64_t>>;
    list queue{Way::template make<std::uint64_t>(*heap)};
    queue.resize(64);
    std::uint64_t number = 0;
    for ([[maybe_unused]] auto _ : state) {
        queue.push_back(number++);
        queue.pop_front();
        use(&queue);
    }
}

/// 8 192 random keys: one of them goes, a new one comes.
template <class Heap, class Way>
void map_of_numbers(benchmark::State& state) {
    constexpr std::uint32_t count = 8192;
    using value = std::pair<const std::uint64_t, std::uint64_t>;
    const auto heap = std::make_unique<Heap>();
    using map = std::map<std::uint64_t, std::uint64_t, std::less<>,
                         typename Way::template allocator<value>>;
    map tree{Way::template make<value>(*heap)};
    random_stream random{21};
    std::vector<std::uint64_t> keys(count);
    for (std::uint64_t& key : keys) {
        key = random.next();
        tree.emplace(key, key);
    }
    for ([[maybe_unused]] auto _ : state) {
        std::uint64_t& key = keys[random.below(count)];
        tree.erase(key);
        key = random.next();
        tree.emplace(key, key);
        use(&tree);
    }
}

/// 8 192 entries of random keys, each a node and 40 characters: one of them goes, a new one comes.
template <class Heap, class Way>
void map_to_strings(benchmark::State& state) {
    constexpr std::uint32_t count = 8192;
    using string =
        std::basic_string<char, std::char_traits<char>, typename Way::template allocator<char>>;
    using value = std::pair<const std::uint64_t, string>;
    const auto heap = std::make_unique<Heap>();
    using map = std::unordered_map<std::uint64_t, string, std::hash<std::uint64_t>, std::equal_to<>,
                                   typename Way::template allocator<value>>;
    map table{Way::template make<value>(*heap)};
    table.reserve(count);
    const auto insert = [&, characters = Way::template make<char>(*heap)](std::uint64_t key) {
        table.emplace(key, string(40, static_cast<char>('a' + key % 26), characters));
    };
    random_stream random{22};
    std::vector<std::uint64_t> keys(count);
    for (std::uint64_t& key : keys) {
        key = random.next();
        insert(key);
    }
    for ([[maybe_unused]] auto _ : state) {
        std::uint64_t& key = keys[random.below(count)];
        table.erase(key);
        key = random.next();
        insert(key);
        use(&table);
    }
}

} // namespace

int main(int argc, char** argv) {
    suite benchmarks;
    benchmarks.table(
        "containers",
        "Containers of the allocator's type: a queue of 64 numbers; 8 192 random keys;\n"
        "8 192 random keys, each with a string of 40 characters\n"
        "ns to take one out and put one in, and times ref");
    for_each_contestant(all_contestants{}, [&]<class C>() {
        benchmarks.add({"list", C::name, list_of_numbers<C, by_type<C>>});
        benchmarks.add({"map", C::name, map_of_numbers<C, by_type<C>>});
        benchmarks.add({"unordered", C::name, map_to_strings<C, by_type<C>>});
    });
    benchmarks.table(
        "pmr-containers",
        "The same containers of std::pmr\nns to take one out and put one in, and times ref");
    for_each_contestant(all_contestants{}, [&]<class C>() {
        benchmarks.add({"list", C::name, list_of_numbers<behind_pmr<C>, by_resource<C>>});
        benchmarks.add({"map", C::name, map_of_numbers<behind_pmr<C>, by_resource<C>>});
        benchmarks.add({"unordered", C::name, map_to_strings<behind_pmr<C>, by_resource<C>>});
    });
    return benchmarks.run(argc, argv);
}
