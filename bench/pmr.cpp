/// Contestants behind std::pmr::memory_resource: two virtual calls a pair, which every program with
/// polymorphic allocators pays. "ref" is the unsafe free list behind the same two calls.
#include "contestants/all.hpp"
#include "contestants/behind_pmr.hpp"
#include "support/suite.hpp"
#include "workloads.hpp"

namespace {

using namespace resident::bench;

} // namespace

int main(int argc, char** argv) {
    suite benchmarks{{"throughput", "pmr", "Throughput: through std::pmr::memory_resource"}};
    benchmarks.table({.key = "pmr-pair",
                      .title = "Allocate and free one block through std::pmr::memory_resource",
                      .unit = "ns a pair",
                      .bias = "two virtual calls are the better part of it, and the same for all"});
    for_each_contestant(all_contestants{}, [&]<class C>() {
        using behind = behind_pmr<C>;
        benchmarks.add<C>("16 B", pair<behind, 16>);
        benchmarks.add<C>("64 B", pair<behind, 64>);
        benchmarks.add<C>("256 B", pair<behind, 256>);
        benchmarks.add<C>("1 KiB", pair<behind, 1024>);
        benchmarks.add<C>("4 KiB", pair<behind, 4096>);
        benchmarks.add<C>("32 KiB", pair<behind, 32768>);
    });
    benchmarks.table(
        {.key = "pmr-many",
         .title =
             "Through std::pmr::memory_resource: 1 000 blocks of 64 B, last or first in first\n"
             "out; 10 000 of 16 B to 1 KiB freed at random; one replaced of 10 000 or 400 000\n"
             "blocks, of 16 B to 1 KiB or to 16 KiB",
         .unit = "ns a pair or replacement",
         .bias = "as for direct calls; the virtual calls bring contestants nearer to each other"});
    for_each_contestant(all_contestants{}, [&]<class C>() {
        using behind = behind_pmr<C>;
        benchmarks.add<C>("LIFO", batch<behind, 1000, order::last_first, fixed_sizes<64>>);
        benchmarks.add<C>("FIFO", batch<behind, 1000, order::first_first, fixed_sizes<64>>);
        benchmarks.add<C>("mixed", batch<behind, 10000, order::random, uniform_sizes>);
        benchmarks.add<C>("10k to 1K", churn<behind, uniform_sizes, 10000>,
                          {.iterations = small_churn_steps});
        benchmarks.add<C>("10k to 16K", churn<behind, log_sizes, 10000>,
                          {.iterations = small_churn_steps});
        benchmarks.add<C>("400k to 1K", churn<behind, uniform_sizes, 400000>,
                          {.iterations = large_churn_steps, .in_quick_mode = extent::none});
    });
    return benchmarks.run(argc, argv);
}
