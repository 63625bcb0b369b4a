/// Contestants called directly, without an interface between: what a program gets that knows its
/// allocator's type.
#include "contestants/all.hpp"
#include "support/suite.hpp"
#include "workloads.hpp"

namespace {

using namespace resident::bench;

constexpr std::string_view best_case = "the best case of every cache of free blocks: one block, "
                                       "freed at once, by one thread on a warm "
                                       "processor";

void add_pairs(suite& benchmarks) {
    benchmarks.table({.key = "node",
                      .title = "Allocate and free one node by a standard allocator",
                      .unit = "ns a pair",
                      .bias = best_case});
    for_each_contestant(all_contestants{}, [&]<class C>() {
        benchmarks.add<C>("16 B", pair_of_nodes<C, 16>);
        benchmarks.add<C>("64 B", pair_of_nodes<C, 64>);
        benchmarks.add<C>("256 B", pair_of_nodes<C, 256>);
        benchmarks.add<C>("1 KiB", pair_of_nodes<C, 1024>);
        benchmarks.add<C>("4 KiB", pair_of_nodes<C, 4096>);
        benchmarks.add<C>("32 KiB", pair_of_nodes<C, 32768>);
    });
    benchmarks.table({.key = "pair",
                      .title = "Allocate and free one block, size known at run time",
                      .unit = "ns a pair",
                      .bias = best_case});
    for_each_contestant(all_contestants{}, [&]<class C>() {
        benchmarks.add<C>("16 B", pair<C, 16>);
        benchmarks.add<C>("64 B", pair<C, 64>);
        benchmarks.add<C>("256 B", pair<C, 256>);
        benchmarks.add<C>("1 KiB", pair<C, 1024>);
        benchmarks.add<C>("4 KiB", pair<C, 4096>);
        benchmarks.add<C>("32 KiB", pair<C, 32768>);
    });
}

void add_patterns(suite& benchmarks) {
    benchmarks.table(
        {.key = "batch",
         .title = "Allocate a batch, then free it: 1 000 blocks of 64 B last or first in\n"
                  "first out; 10 000 in random order, of 64 B or mixed, 16 B to 1 KiB",
         .unit = "ns a pair",
         .bias = "nothing else is alive, so every slab or page is emptied in each round; freed at "
                 "random, the order of addresses decides how long the processor waits"});
    for_each_contestant(all_contestants{}, [&]<class C>() {
        benchmarks.add<C>("LIFO", batch<C, 1000, order::last_first, fixed_sizes<64>>);
        benchmarks.add<C>("FIFO", batch<C, 1000, order::first_first, fixed_sizes<64>>);
        benchmarks.add<C>("random", batch<C, 10000, order::random, fixed_sizes<64>>);
        benchmarks.add<C>("mixed", batch<C, 10000, order::random, uniform_sizes>);
    });
    benchmarks.table(
        {.key = "churn",
         .title = "Free a random one of many live blocks and allocate one of another size:\n"
                  "10 000 or 400 000 blocks, of 16 B to 1 KiB or to 16 KiB",
         .unit = "ns a replacement",
         .bias = "every block is equally likely to die, where in programs the young ones are; of "
                 "400 000 blocks, waiting for memory and address translation is most of it, and "
                 "huge pages decide"});
    for_each_contestant(all_contestants{}, [&]<class C>() {
        benchmarks.add<C>("10k to 1K", churn<C, uniform_sizes, 10000>,
                          {.iterations = small_churn_steps});
        benchmarks.add<C>("10k to 16K", churn<C, log_sizes, 10000>,
                          {.iterations = small_churn_steps});
        benchmarks.add<C>("400k to 1K", churn<C, uniform_sizes, 400000>,
                          {.iterations = large_churn_steps, .in_quick_mode = extent::fewer});
    });
}

} // namespace

int main(int argc, char** argv) {
    suite benchmarks{{"throughput", "direct", "Throughput: called directly"}};
    add_pairs(benchmarks);
    add_patterns(benchmarks);
    return benchmarks.run(argc, argv);
}
