/// Contestants behind std::pmr::memory_resource: two virtual calls a pair, which every program with
/// polymorphic allocators pays. "ref" is the unsafe free list behind the same two calls.
#include "contestants/all.hpp"
#include "contestants/behind_pmr.hpp"
#include "support/suite.hpp"
#include "workloads.hpp"

namespace {

using namespace resident::bench;

constexpr benchmark::IterationCount large_churn_steps = 200'000;

} // namespace

int main(int argc, char** argv) {
    suite benchmarks;
    benchmarks.table("pmr-pair", "Allocate and free one block through std::pmr::memory_resource\n"
                                 "ns a pair, and times ref");
    for_each_contestant(all_contestants{}, [&]<class C>() {
        using behind = behind_pmr<C>;
        benchmarks.add({"16 B", C::name, pair<behind, 16>});
        benchmarks.add({"64 B", C::name, pair<behind, 64>});
        benchmarks.add({"256 B", C::name, pair<behind, 256>});
        benchmarks.add({"1 KiB", C::name, pair<behind, 1024>});
        benchmarks.add({"4 KiB", C::name, pair<behind, 4096>});
        benchmarks.add({"32 KiB", C::name, pair<behind, 32768>});
    });
    benchmarks.table(
        "pmr-many",
        "Through std::pmr::memory_resource: 1 000 blocks of 64 B, last or first in first\n"
        "out; 10 000 of 16 B to 1 KiB freed at random; one replaced of 10 000 or 400 000\n"
        "blocks, of 16 B to 1 KiB or to 16 KiB\n"
        "ns a pair or replacement, and times ref");
    for_each_contestant(all_contestants{}, [&]<class C>() {
        using behind = behind_pmr<C>;
        benchmarks.add({"LIFO", C::name, batch<behind, 1000, order::last_first, fixed_sizes<64>>});
        benchmarks.add({"FIFO", C::name, batch<behind, 1000, order::first_first, fixed_sizes<64>>});
        benchmarks.add({"mixed", C::name, batch<behind, 10000, order::random, uniform_sizes>});
        benchmarks.add({"10k to 1K", C::name, churn<behind, uniform_sizes, 10000>});
        benchmarks.add({"10k to 16K", C::name, churn<behind, log_sizes, 10000>});
        benchmarks.add(
            {"400k to 1K", C::name, churn<behind, uniform_sizes, 400000>, large_churn_steps});
    });
    return benchmarks.run(argc, argv);
}
