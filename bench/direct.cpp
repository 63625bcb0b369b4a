/// Contestants called directly, without an interface between: what a program gets that knows its
/// allocator's type.
#include "contestants/all.hpp"
#include "support/suite.hpp"
#include "workloads.hpp"

namespace {

using namespace resident::bench;

/// Enough steps to meet every block, few enough for 11 repetitions of the slowest contestant.
constexpr benchmark::IterationCount steps_of_large_churn = 200'000;

void add_pairs(suite& benchmarks) {
    benchmarks.table("fixed", "Allocate and free one block, size known at compile time\n"
                              "ns a pair, and times ref");
    for_each_contestant(all_contestants{}, [&]<class C>() {
        benchmarks.add({"16 B", C::name, pair_of_fixed_size<C, 16>});
        benchmarks.add({"64 B", C::name, pair_of_fixed_size<C, 64>});
        benchmarks.add({"256 B", C::name, pair_of_fixed_size<C, 256>});
        benchmarks.add({"1 KiB", C::name, pair_of_fixed_size<C, 1024>});
        benchmarks.add({"4 KiB", C::name, pair_of_fixed_size<C, 4096>});
        benchmarks.add({"32 KiB", C::name, pair_of_fixed_size<C, 32768>});
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
    benchmarks.table("many",
                     "Many live blocks: 1 000 of 64 B freed last or first in first out,\n"
                     "10 000 of 64 B at random; 10 000 (16 to 1 024 B; 16 B to 16 KiB) and\n"
                     "400 000 (16 to 1 024 B) of which one is replaced at a time\n"
                     "ns a pair or replacement, and times ref");
    for_each_contestant(all_contestants{}, [&]<class C>() {
        benchmarks.add({"LIFO", C::name, batch<C, 1000, order::last_first>});
        benchmarks.add({"FIFO", C::name, batch<C, 1000, order::first_first>});
        benchmarks.add({"random", C::name, batch<C, 10000, order::random>});
        benchmarks.add({"churn 1K", C::name, churn<C, uniform_sizes, 10000>});
        benchmarks.add({"churn 16K", C::name, churn<C, log_sizes, 10000>});
        benchmarks.add(
            {"churn 400k", C::name, churn<C, uniform_sizes, 400000>, steps_of_large_churn});
    });
}

} // namespace

int main(int argc, char** argv) {
    suite benchmarks;
    add_pairs(benchmarks);
    add_patterns(benchmarks);
    return benchmarks.run(argc, argv);
}
