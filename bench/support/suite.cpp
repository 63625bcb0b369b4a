#include "support/suite.hpp"

#include "support/machine.hpp"
#include "support/medians.hpp"
#include "support/result_table.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <regex>
#include <utility>

#include <unistd.h>

namespace resident::bench {

namespace {

/// Many short repetitions: the machine's disturbances are rarer than they are long. Flags that are
/// given on the command line come later and win.
constexpr auto default_flags = std::to_array<const char*>({
    "--benchmark_repetitions=11",
    "--benchmark_min_time=0.01",
    "--benchmark_enable_random_interleaving=true",
});

std::vector<char*> with_defaults(int argc, char** argv) {
    std::vector<char*> words(argv, argv + 1);
    for (const char* const flag : default_flags) {
        words.push_back(const_cast<char*>(flag)); // Google Benchmark does not write to them
    }
    words.insert(words.end(), argv + 1, argv + argc);
    words.push_back(nullptr);
    return words;
}

/// Whether Google Benchmark must do everything in one run, by its own rules.
bool wants_one_run(int argc, char** argv) {
    return std::any_of(argv + 1, argv + argc, [](std::string_view word) {
        return word.starts_with("--benchmark_out=") || word.starts_with("--benchmark_format=") ||
               word.starts_with("--benchmark_list_tests");
    });
}

/// Tells someone who waits at a terminal what is going on; gone when there is something to read.
class waiting_line {
public:
    explicit waiting_line(const std::string& what) {
        if (shown_) {
            std::fprintf(stderr, "measuring: %s ...", what.c_str());
        }
    }
    ~waiting_line() {
        if (shown_) {
            std::fputs("\r\033[K", stderr);
        }
    }
    waiting_line(const waiting_line&) = delete;
    waiting_line& operator=(const waiting_line&) = delete;

private:
    bool shown_ = isatty(STDERR_FILENO) == 1;
};

/// --benchmark_filter, as Google Benchmark understands it.
class name_filter {
public:
    explicit name_filter(std::string filter)
        : excludes_(filter.starts_with('-')),
          pattern_(filter == "all" ? "" : filter.substr(excludes_ ? 1 : 0)) {}

    [[nodiscard]] bool admits(const std::string& name) const {
        return std::regex_search(name, pattern_) != excludes_;
    }

private:
    bool excludes_;
    std::regex pattern_;
};

std::string name_of(const std::string& table, const suite::cell& cell) {
    std::string name = table;
    name.append("/").append(cell.column).append("/").append(cell.contestant);
    return name;
}

} // namespace

void suite::table(std::string_view key, std::string_view title, std::string_view compared_to) {
    tables_.push_back({std::string{key}, std::string{title}, std::string{compared_to}, {}});
}

void suite::add(const cell& added) { tables_.back().cells.push_back(added); }

int suite::run(int argc, char** argv) {
    std::vector<char*> words = with_defaults(argc, argv);
    int count = static_cast<int>(words.size()) - 1;
    benchmark::Initialize(&count, words.data());
    if (benchmark::ReportUnrecognizedArguments(count, words.data())) {
        return 1;
    }
    verify_contestants();
    for (const table_of_cells& table : tables_) {
        for (const cell& each : table.cells) {
            auto* const added =
                benchmark::RegisterBenchmark(name_of(table.key, each).c_str(), each.run);
            if (each.iterations != 0) {
                added->Iterations(each.iterations);
            }
            if (each.measured == time::clock) {
                added->UseManualTime();
            }
        }
    }
    const int pinned_to = pin_to_one_processor();
    if (wants_one_run(argc, argv)) {
        benchmark::RunSpecifiedBenchmarks();
    } else {
        describe_machine(pinned_to);
        name_missing_contestants();
        std::printf("\n");
        show_tables();
    }
    benchmark::Shutdown();
    return 0;
}

void suite::show_tables() {
    const name_filter wanted{benchmark::GetBenchmarkFilter()};
    bool any = false;
    for (const table_of_cells& table : tables_) {
        std::string alternatives;
        for (const cell& each : table.cells) {
            const std::string name = name_of(table.key, each);
            if (wanted.admits(name)) {
                alternatives.append(alternatives.empty() ? "" : "|").append(name);
            }
        }
        if (!alternatives.empty()) {
            any = true;
            measure(table, "^(" + alternatives + ")(/|$)");
        }
    }
    if (!any) {
        std::printf("No benchmark has such a name; --benchmark_list_tests shows them.\n");
    }
}

void suite::measure(const table_of_cells& table, const std::string& names) {
    medians measured;
    {
        const waiting_line waiting{table.key};
        benchmark::RunSpecifiedBenchmarks(&measured, names);
    }
    result_table results{table.title, table.compared_to};
    for (const cell& each : table.cells) {
        if (const auto time = measured.of(name_of(table.key, each))) {
            results.set(each.contestant, each.column, *time);
        }
    }
    std::fputs(results.text().c_str(), stdout);
    std::fflush(stdout);
}

} // namespace resident::bench
