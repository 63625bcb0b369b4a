/// A program of Google Benchmark that shows its results as tables, contestants below each other.
#pragma once

#include <benchmark/benchmark.h>

#include <string>
#include <string_view>
#include <vector>

namespace resident::bench {

/// What is measured: this thread's time on the processor, or what the benchmark itself reads off a
/// clock and hands to State::SetIterationTime().
enum class time { processor, clock };

/// Benchmarks are registered as <table>/<column>/<contestant>, which is what --benchmark_filter
/// sees. The tables are measured one after the other; within a table the repetitions of all
/// benchmarks are interleaved in random order, so that what the machine does meanwhile hits every
/// contestant alike. Shown are medians of the repetitions, and their ratio to one contestant.
class suite {
public:
    using function = void (*)(benchmark::State&);

    /// Begins a table; `key` is its part of the benchmarks' names, ratios are to `compared_to`.
    void table(std::string_view key, std::string_view title, std::string_view compared_to = "ref");

    /// A cell of the table begun last. A fixed number of `iterations` saves building the state
    /// again and again until a number is found; 0 leaves that to Google Benchmark.
    struct cell {
        std::string_view column;
        std::string_view contestant;
        function run;
        benchmark::IterationCount iterations = 0;
        time measured = time::processor;
    };
    void add(const cell& added);

    /// Returns: the status to exit with. With --benchmark_out, --benchmark_format or
    /// --benchmark_list_tests everything is one run of Google Benchmark.
    int run(int argc, char** argv);

private:
    struct table_of_cells {
        std::string key;
        std::string title;
        std::string compared_to;
        std::vector<cell> cells;
    };

    void show_tables();
    static void measure(const table_of_cells& table, const std::string& names);

    std::vector<table_of_cells> tables_;
};

} // namespace resident::bench
