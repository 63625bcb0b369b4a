/// A program of Google Benchmark that shows its results as tables, contestants below each other.
#pragma once

#include "contestants/contestant.hpp"
#include "support/part_file.hpp"
#include "support/run_options.hpp"
#include "support/verification.hpp"

#include <benchmark/benchmark.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace resident::bench {

class measurements;

/// What is measured: this thread's time on the processor, or what the benchmark itself reads off a
/// clock and hands to State::SetIterationTime().
enum class time { processor, clock };

/// How often something is measured in the quick mode, because it takes long.
enum class extent {
    usual,
    few,   ///< once in each round
    fewer, ///< once in the first round and in the last
    none   ///< left to --full
};

/// Benchmarks are registered as <table>/<column>/<contestant>, which is what --benchmark_filter
/// sees. The tables are measured one after the other. A table is measured in rounds; in each, the
/// repetitions of all its benchmarks are interleaved in random order, so that what the machine does
/// meanwhile hits every contestant alike. A contestant that changes its process has one of its own,
/// a child per round, by turns before and after the others. Shown are medians of the repetitions,
/// and their ratio to one contestant. Before all that each contestant is verified, once; one that
/// fails is not measured.
class suite {
public:
    using function = void (*)(benchmark::State&);

    struct description {
        const char* part;    ///< of the report
        const char* program; ///< after "./dev bench"
        const char* title;
    };
    explicit suite(const description& what) : what_(what) {}

    /// Begins a table; `key` is its part of the benchmarks' names, ratios are to `compared_to`.
    struct table_description {
        std::string_view key;
        std::string_view title;
        std::string_view unit; ///< "ns a pair"
        std::string_view bias; ///< whom it favours
        std::string_view compared_to = "ref";
    };
    void table(const table_description& begun) { tables_.push_back({begun, {}}); }

    /// A fixed number of iterations saves building the state again and again until a number is
    /// found; 0 leaves that to Google Benchmark.
    struct how {
        benchmark::IterationCount iterations = 0;
        time measured = time::processor;
        extent in_quick_mode = extent::usual;
    };

    /// Adds a cell to the table begun last.
    template <contestant C>
    void add(std::string_view column, function benchmark, how measure = {}) {
        cell added{column, C::name, benchmark, measure, nullptr, nullptr};
        if constexpr (requires { C::what; }) {
            remember(C::name, C::what);
        }
        if constexpr (requires { C::prepare_process(); }) {
            added.prepare = C::prepare_process;
        }
        if constexpr (!requires { C::is_no_allocator; }) {
            added.verify = verify<C>;
        }
        tables_.back().cells.push_back(added);
    }

    /// Returns: the status to exit with. With --benchmark_out, --benchmark_format or
    /// --benchmark_list_tests everything is one run of Google Benchmark, without the contestants
    /// that need a process of their own.
    int run(int argc, char** argv);

private:
    /// Changes the process for a contestant; returns why it could not, or nothing.
    using preparation_function = std::string (*)();

    struct cell {
        std::string_view column;
        std::string_view contestant;
        function run;
        how measure;
        preparation_function prepare;
        verdict (*verify)();
    };
    struct cells_of_table {
        table_description about;
        std::vector<cell> cells;
    };

    void remember(const char* contestant, const char* what);
    /// Drops what is left to --full, and in one run what needs a process of its own.
    void register_benchmarks(bool full, bool one_run);
    void verify_all();
    [[nodiscard]] std::string refusal_of(const cell& each) const;
    part_record measure_tables(const run_options& options);
    table_record measure(const cells_of_table& table, const std::vector<const cell*>& cells,
                         const run_options& options);
    /// Once, however many tables it is in.
    void refuse(const cell& each, const std::string& reason, bool is_broken);

    description what_;
    std::vector<std::pair<std::string, std::string>> contestants_; ///< name, and what it is
    std::vector<cells_of_table> tables_;
    std::map<verdict (*)(), verdict> verdicts_;
    std::vector<refused_contestant> refused_;
};

} // namespace resident::bench
