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
    benchmarks.table(
        {.key = "threads-pair",
         .title = "One thread that has the heap for itself: allocate and free one block, by a\n"
                  "standard allocator, and through std::pmr::memory_resource\n"
                  "one thread: unsynchronized_pool_resource",
         .unit = "ns a pair",
         .bias = "nobody is met: what it costs that others might come",
         .compared_to = against});
    const auto add = [&]<class C>() {
        using behind = behind_pmr<C>;
        benchmarks.add<C>("16 B", pair_of_nodes<C, 16>);
        benchmarks.add<C>("64 B", pair_of_nodes<C, 64>);
        benchmarks.add<C>("1 KiB", pair_of_nodes<C, 1024>);
        benchmarks.add<C>("pmr 16 B", pair<behind, 16>);
        benchmarks.add<C>("pmr 64 B", pair<behind, 64>);
        benchmarks.add<C>("pmr 1 KiB", pair<behind, 1024>);
    };
    add.template operator()<one_thread_pool>();
    for_each_contestant(concurrent_contestants{}, add);
}

void add_churn(suite& benchmarks) {
    benchmarks.table(
        {.key = "threads-churn",
         .title = "Threads replace random ones of 1 000 blocks of their own, 16 B to 1 KiB;\n"
                  "no heap: blocks of an array",
         .unit = "ns a replacement of all threads together, by the clock",
         .bias = "threads beyond the processors take turns and meet less often than on as many",
         .compared_to = against});
    const auto add = [&]<class C>() {
        benchmarks.add<C>("1 thread", own_churn<C, 1>, {400'000, time::clock, extent::few});
        benchmarks.add<C>("2 threads", own_churn<C, 2>, {800'000, time::clock, extent::few});
        benchmarks.add<C>("4 threads", own_churn<C, 4>, {800'000, time::clock, extent::few});
        benchmarks.add<C>("8 threads", own_churn<C, 8>, {800'000, time::clock, extent::few});
    };
    add.template operator()<no_heap>();
    for_each_contestant(concurrent_contestants{}, add);
}

void add_passing(suite& benchmarks) {
    benchmarks.table(
        {.key = "threads-pass",
         .title = "One thread allocates 64 B, another frees: through a queue; 1 000 at once; to\n"
                  "and fro, in turn\n"
                  "no heap: the queue alone, with blocks of an array",
         .unit = "ns a block, by the clock",
         .bias = "the slower side decides; to and fro, the block's way between the processors does",
         .compared_to = against});
    const auto add = [&]<class C>() {
        benchmarks.add<C>("queue", passing<C>,
                          {shared_out<C>(400'000, 80), time::clock, extent::few});
        benchmarks.add<C>("bursts", bursts<C>,
                          {shared_out<C>(400'000, 80), time::clock, extent::few});
        benchmarks.add<C>("ping-pong", ping_pong<C>, {40'000, time::clock, extent::few});
    };
    add.template operator()<no_heap>();
    for_each_contestant(concurrent_contestants{}, add);
}

void add_lives(suite& benchmarks) {
    benchmarks.table(
        {.key = "threads-lives",
         .title = "Threads come and go, and leave blocks of 16 B to 1 KiB to the next: 2 at a\n"
                  "time that use 150 blocks each; 2 or 8 at a time that replace random ones of\n"
                  "1 000 blocks 5 000 times (Larson)\n"
                  "no heap: the threads alone, with blocks of an array",
         .unit = "ns a block of all threads together, by the clock",
         .bias = "creating and joining threads is most of the time of short lives",
         .compared_to = against});
    const auto add = [&]<class C>() {
        benchmarks.add<C>("short", thread_churn<C>, {60'000, time::clock, extent::few});
        benchmarks.add<C>("larson 2", larson<C, 2>,
                          {shared_out<C>(400'000, 5), time::clock, extent::few});
        benchmarks.add<C>("larson 8", larson<C, 8>,
                          {shared_out<C>(400'000, 5), time::clock, extent::few});
    };
    add.template operator()<no_heap>();
    for_each_contestant(concurrent_contestants{}, add);
}

} // namespace

int main(int argc, char** argv) {
    const sleeping_thread companion;
    suite benchmarks{{"threads", "threads", "Threads: a heap that all may use"}};
    add_pairs(benchmarks);
    add_churn(benchmarks);
    add_passing(benchmarks);
    add_lives(benchmarks);
    return benchmarks.run(argc, argv);
}
