/// Contestants called directly, without an interface between: what a program gets that knows its
/// allocator's type.
#include "contestants/all.hpp"
#include "support/suite.hpp"
#include "workloads.hpp"

namespace {

using namespace resident::bench;

/// Enough steps to meet every block, few enough for 11 repetitions of the slowest contestant.
constexpr benchmark::IterationCount large_churn_steps = 200'000;

void add_pairs(suite& benchmarks) {
    benchmarks.table("node", "Allocate and free one node by a standard allocator\n"
                             "ns a pair, and times ref");
    for_each_contestant(all_contestants{}, [&]<class C>() {
        benchmarks.add({"16 B", C::name, pair_of_nodes<C, 16>});
        benchmarks.add({"64 B", C::name, pair_of_nodes<C, 64>});
        benchmarks.add({"256 B", C::name, pair_of_nodes<C, 256>});
        benchmarks.add({"1 KiB", C::name, pair_of_nodes<C, 1024>});
        benchmarks.add({"4 KiB", C::name, pair_of_nodes<C, 4096>});
        benchmarks.add({"32 KiB", C::name, pair_of_nodes<C, 32768>});
    });
    benchmarks.table("pair", "Allocate and free one block, size known at run time\n"
                             "ns a pair, and times ref");
    for_each_contestant(all_contestants{}, [&]<class C>() {
        benchmarks.add({"16 B", C::name, pair<C, 16>});
        benchmarks.add({"64 B", C::name, pair<C, 64>});
        benchmarks.add({"256 B", C::name, pair<C, 256>});
        benchmarks.add({"1 KiB", C::name, pair<C, 1024>});
        benchmarks.add({"4 KiB", C::name, pair<C, 4096>});
        benchmarks.add({"32 KiB", C::name, pair<C, 32768>});
    });
}

void add_patterns(suite& benchmarks) {
    benchmarks.table("batch",
                     "Allocate a batch, then free it: 1 000 blocks of 64 B last or first in\n"
                     "first out; 10 000 in random order, of 64 B or mixed, 16 B to 1 KiB\n"
                     "ns a pair, and times ref");
    for_each_contestant(all_contestants{}, [&]<class C>() {
        benchmarks.add({"LIFO", C::name, batch<C, 1000, order::last_first, fixed_sizes<64>>});
        benchmarks.add({"FIFO", C::name, batch<C, 1000, order::first_first, fixed_sizes<64>>});
        benchmarks.add({"random", C::name, batch<C, 10000, order::random, fixed_sizes<64>>});
        benchmarks.add({"mixed", C::name, batch<C, 10000, order::random, uniform_sizes>});
    });
    benchmarks.table("churn",
                     "Free a random one of many live blocks and allocate one of another size:\n"
                     "10 000 or 400 000 blocks, of 16 B to 1 KiB or to 16 KiB\n"
                     "ns a replacement, and times ref");
    for_each_contestant(all_contestants{}, [&]<class C>() {
        benchmarks.add({"10k to 1K", C::name, churn<C, uniform_sizes, 10000>});
        benchmarks.add({"10k to 16K", C::name, churn<C, log_sizes, 10000>});
        benchmarks.add({"400k to 1K", C::name, churn<C, uniform_sizes, 400000>, large_churn_steps});
    });
}

} // namespace

int main(int argc, char** argv) {
    suite benchmarks;
    add_pairs(benchmarks);
    add_patterns(benchmarks);
    return benchmarks.run(argc, argv);
}
