/// Contestants that several threads use at a time: resident::synchronized_pool_resource beside the
/// mallocs and the class of the same name in std::pmr.
#include "concurrent_workloads.hpp"
#include "contestants/behind_pmr.hpp"
#include "contestants/concurrent.hpp"
#include "support/suite.hpp"
#include "workloads.hpp"

#include <benchmark/benchmark.h>

#include <concepts>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <thread>

namespace {

using namespace resident::bench;

constexpr std::string_view against = "resident"; // what the ratios are to

/// The standard library's pool takes a hundred times as long where threads meet: it gets a part of
/// the operations, so that the others can have enough.
template <class C>
constexpr benchmark::IterationCount shared_out(benchmark::IterationCount all,
                                               benchmark::IterationCount parts) {
    return std::same_as<C, std_shared_pool> ? all / parts : all;
}

/// A process with one thread is spared atomic operations by glibc: with this it is none.
class sleeping_thread {
    std::jthread thread_{[](const std::stop_token& stop) {
        std::mutex mutex;
        std::unique_lock lock{mutex};
        std::condition_variable_any{}.wait(lock, stop, [] { return false; });
    }};
};

void add_pairs(suite& benchmarks) {
    benchmarks.table("threads-pair",
                     "One thread that has the heap for itself: allocate and free one block, by a\n"
                     "standard allocator, and through std::pmr::memory_resource\n"
                     "one thread: unsynchronized_pool_resource\n"
                     "ns a pair, and times resident",
                     against);
    const auto add = [&]<class C>() {
        using behind = behind_pmr<C>;
        benchmarks.add({"16 B", C::name, pair_of_nodes<C, 16>});
        benchmarks.add({"64 B", C::name, pair_of_nodes<C, 64>});
        benchmarks.add({"1 KiB", C::name, pair_of_nodes<C, 1024>});
        benchmarks.add({"pmr 16 B", C::name, pair<behind, 16>});
        benchmarks.add({"pmr 64 B", C::name, pair<behind, 64>});
        benchmarks.add({"pmr 1 KiB", C::name, pair<behind, 1024>});
    };
    add.template operator()<one_thread_pool>();
    for_each_contestant(concurrent_contestants{}, add);
}

void add_churn(suite& benchmarks) {
    benchmarks.table("threads-churn",
                     "Threads replace random ones of 1 000 blocks of their own, 16 B to 1 KiB\n"
                     "no heap: blocks of an array\n"
                     "ns a replacement of all threads together, by the clock, and times resident",
                     against);
    const auto add = [&]<class C>() {
        benchmarks.add({"1 thread", C::name, own_churn<C, 1>, 400'000, time::clock});
        benchmarks.add({"2 threads", C::name, own_churn<C, 2>, 800'000, time::clock});
        benchmarks.add({"4 threads", C::name, own_churn<C, 4>, 800'000, time::clock});
        benchmarks.add({"8 threads", C::name, own_churn<C, 8>, 800'000, time::clock});
    };
    add.template operator()<no_heap>();
    for_each_contestant(concurrent_contestants{}, add);
}

void add_passing(suite& benchmarks) {
    benchmarks.table(
        "threads-pass",
        "One thread allocates 64 B, another frees: through a queue; 1 000 at once; to\n"
        "and fro, in turn\n"
        "no heap: the queue alone, with blocks of an array\n"
        "ns a block, by the clock, and times resident",
        against);
    const auto add = [&]<class C>() {
        benchmarks.add({"queue", C::name, passing<C>, shared_out<C>(400'000, 80), time::clock});
        benchmarks.add({"bursts", C::name, bursts<C>, shared_out<C>(400'000, 80), time::clock});
        benchmarks.add({"ping-pong", C::name, ping_pong<C>, 40'000, time::clock});
    };
    add.template operator()<no_heap>();
    for_each_contestant(concurrent_contestants{}, add);
}

void add_lives(suite& benchmarks) {
    benchmarks.table("threads-lives",
                     "Threads come and go, and leave blocks of 16 B to 1 KiB to the next: 2 at a\n"
                     "time that use 150 blocks each; 2 or 8 at a time that replace random ones of\n"
                     "1 000 blocks 5 000 times (Larson)\n"
                     "no heap: the threads alone, with blocks of an array\n"
                     "ns a block of all threads together, by the clock, and times resident",
                     against);
    const auto add = [&]<class C>() {
        benchmarks.add({"short", C::name, thread_churn<C>, 60'000, time::clock});
        benchmarks.add({"larson 2", C::name, larson<C, 2>, shared_out<C>(400'000, 5), time::clock});
        benchmarks.add({"larson 8", C::name, larson<C, 8>, shared_out<C>(400'000, 5), time::clock});
    };
    add.template operator()<no_heap>();
    for_each_contestant(concurrent_contestants{}, add);
}

} // namespace

int main(int argc, char** argv) {
    const sleeping_thread companion;
    suite benchmarks;
    add_pairs(benchmarks);
    add_churn(benchmarks);
    add_passing(benchmarks);
    add_lives(benchmarks);
    return benchmarks.run(argc, argv);
}
