#include "support/suite.hpp"

#include "support/in_child.hpp"
#include "support/machine.hpp"
#include "support/measurements.hpp"
#include "support/progress.hpp"
#include "support/result_table.hpp"
#include "tool/spread.hpp"
#include "tool/text_layout.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <regex>
#include <string>
#include <string_view>
#include <utility>

namespace resident::bench {

namespace {

/// Many short repetitions: the machine's disturbances are rarer than they are long.
struct effort {
    int rounds;
    std::vector<const char*> flags; ///< those of the command line come later and win
};

effort effort_of(bool full) {
    if (full) {
        return {5,
                {"--benchmark_repetitions=5", "--benchmark_min_time=0.01",
                 "--benchmark_enable_random_interleaving=true"}};
    }
    return {3,
            {"--benchmark_repetitions=3", "--benchmark_min_time=0.004",
             "--benchmark_enable_random_interleaving=true"}};
}

std::vector<char*> with_defaults(const run_options& options) {
    std::vector<char*> words{options.others.front()};
    for (const char* const flag : effort_of(options.full).flags) {
        words.push_back(const_cast<char*>(flag)); // Google Benchmark does not write to them
    }
    words.insert(words.end(), options.others.begin() + 1, options.others.end());
    words.push_back(nullptr);
    return words;
}

/// Whether Google Benchmark must do everything in one run, by its own rules.
bool wants_one_run(const std::vector<char*>& words) {
    return std::any_of(words.begin() + 1, words.end(), [](std::string_view word) {
        return word.starts_with("--benchmark_out=") || word.starts_with("--benchmark_format=") ||
               word.starts_with("--benchmark_list_tests");
    });
}

bool lists_only(const std::vector<char*>& words) {
    return std::any_of(words.begin() + 1, words.end(), [](std::string_view word) {
        return word.starts_with("--benchmark_list_tests") && word != "--benchmark_list_tests=false";
    });
}

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

std::string name_of(std::string_view table, std::string_view column, std::string_view contestant) {
    std::string name{table};
    name.append("/").append(column).append("/").append(contestant);
    return name;
}

/// Runs the benchmarks of these names in this process.
void run_named(const std::vector<std::string>& names, measurements& measured) {
    std::string alternatives;
    for (const std::string& name : names) {
        alternatives.append(alternatives.empty() ? "" : "|").append(name);
    }
    benchmark::RunSpecifiedBenchmarks(&measured, "^(" + alternatives + ")(/|$)");
}

/// Why those that share a process have no measurements; empty if they have.
struct lost_turn {
    std::string reason{};
    bool crashed = false;
};

/// The same in a child that is prepared for it.
lost_turn run_in_child(std::string (*prepare)(), const std::vector<std::string>& names,
                       measurements& measured) {
    const auto said = text_from_child([&] {
        const std::string refused = prepare();
        if (!refused.empty()) {
            return "!" + refused;
        }
        measurements own;
        run_named(names, own);
        return own.text();
    });
    if (!said.text) {
        return {said.failure, said.crashed};
    }
    if (said.text->starts_with('!')) {
        return {said.text->substr(1)};
    }
    measured.add_text(*said.text);
    return {};
}

} // namespace

void suite::remember(const char* contestant, const char* what) {
    const std::pair<std::string, std::string> added{contestant, what};
    if (std::find(contestants_.begin(), contestants_.end(), added) == contestants_.end()) {
        contestants_.push_back(added);
    }
}

void suite::verify_all() {
    const name_filter wanted{benchmark::GetBenchmarkFilter()};
    waiting_line waiting;
    for (const cells_of_table& table : tables_) {
        for (const cell& each : table.cells) {
            if (each.verify != nullptr && verdicts_.count(each.verify) == 0 &&
                wanted.admits(name_of(table.about.key, each.column, each.contestant))) {
                waiting.show("verifying: " + std::string{each.contestant});
                verdicts_[each.verify] = each.verify();
                if (const std::string why = refusal_of(each); !why.empty()) {
                    refuse(each, why, verdicts_[each.verify].is_broken());
                }
            }
        }
    }
}

std::string suite::refusal_of(const cell& each) const {
    const auto found = verdicts_.find(each.verify);
    return found == verdicts_.end() ? "" : found->second.reason();
}

void suite::refuse(const cell& each, const std::string& reason, bool is_broken) {
    const auto is_same = [&](const refused_contestant& other) {
        return other.name == each.contestant && other.reason == reason;
    };
    if (std::none_of(refused_.begin(), refused_.end(), is_same)) {
        refused_.push_back({std::string{each.contestant}, reason, is_broken});
    }
}

void suite::register_benchmarks(bool full, bool one_run) {
    for (cells_of_table& table : tables_) {
        std::erase_if(table.cells, [full, one_run](const cell& each) {
            return (!full && each.measure.in_quick_mode == extent::none) ||
                   (one_run && each.prepare != nullptr);
        });
        for (const cell& each : table.cells) {
            if (!refusal_of(each).empty()) {
                continue;
            }
            auto* const added = benchmark::RegisterBenchmark(
                name_of(table.about.key, each.column, each.contestant).c_str(), each.run);
            if (each.measure.iterations != 0) {
                added->Iterations(each.measure.iterations);
            }
            if (each.measure.measured == time::clock) {
                added->UseManualTime();
            }
            if (!full && each.measure.in_quick_mode >= extent::few) {
                added->Repetitions(1);
            }
        }
    }
}

int suite::run(int argc, char** argv) {
    const part_writer writer;
    const run_options options = parse_command_line(argc, argv, what_.title, other_words::kept);
    std::vector<char*> words = with_defaults(options);
    int count = static_cast<int>(words.size()) - 1;
    benchmark::Initialize(&count, words.data());
    if (benchmark::ReportUnrecognizedArguments(count, words.data())) {
        return 2;
    }
    verify_contestants();
    if (!lists_only(options.others)) {
        verify_all();
    }
    for (const refused_contestant& each : refused_) {
        std::fputs(note_of(each).c_str(), stderr);
    }
    const bool one_run = wants_one_run(options.others);
    register_benchmarks(options.full, one_run);
    pin_to_one_processor();
    int status = 0;
    if (one_run) {
        const auto is_broken = [](const refused_contestant& each) { return each.is_broken; };
        status = std::any_of(refused_.begin(), refused_.end(), is_broken) ? 1 : 0;
        benchmark::RunSpecifiedBenchmarks();
    } else {
        print_machine();
        name_missing_contestants();
        std::printf("\n");
        status = writer.finish(measure_tables(options), options);
    }
    benchmark::Shutdown();
    return status;
}

part_record suite::measure_tables(const run_options& options) {
    part_record part{
        .part = what_.part, .title = what_.title, .program = what_.program, .full = options.full};
    part.contestants = contestants_;
    const name_filter wanted{benchmark::GetBenchmarkFilter()};
    for (const cells_of_table& table : tables_) {
        std::vector<const cell*> cells;
        for (const cell& each : table.cells) {
            if (wanted.admits(name_of(table.about.key, each.column, each.contestant))) {
                cells.push_back(&each);
            }
        }
        if (!cells.empty()) {
            part.tables.push_back(measure(table, cells, options));
        }
    }
    if (part.tables.empty()) {
        part.not_measured = "no benchmark has such a name; --benchmark_list_tests shows them";
        std::printf("%s\n", part.not_measured.c_str());
    }
    part.refused = refused_;
    return part;
}

table_record suite::measure(const cells_of_table& table, const std::vector<const cell*>& cells,
                            const run_options& options) {
    const int rounds = effort_of(options.full).rounds;
    std::map<preparation_function, std::vector<const cell*>> turns;
    for (const cell* each : cells) {
        if (refusal_of(*each).empty()) {
            turns[each->prepare].push_back(each);
        }
    }
    const auto names_of = [&](preparation_function prepare, int round) {
        const bool inner = round != 0 && round != rounds - 1;
        std::vector<std::string> names;
        for (const cell* each : turns[prepare]) {
            if (options.full || !inner || each->measure.in_quick_mode != extent::fewer) {
                names.push_back(name_of(table.about.key, each->column, each->contestant));
            }
        }
        return names;
    };
    measurements measured;
    std::map<preparation_function, lost_turn> lost;
    const auto take_turn = [&](preparation_function prepare, int round) {
        const std::vector<std::string> names = names_of(prepare, round);
        if (names.empty()) {
            return;
        }
        if (prepare == nullptr) {
            run_named(names, measured);
        } else if (lost[prepare].reason.empty()) {
            lost[prepare] = run_in_child(prepare, names, measured);
        }
    };
    std::vector<preparation_function> order;
    for (const auto& [prepare, all] : turns) {
        order.push_back(prepare);
    }
    {
        const waiting_line waiting{"measuring: " + std::string{table.about.key}};
        for (int round = 0; round != rounds; ++round) {
            for (const preparation_function prepare : order) {
                take_turn(prepare, round);
            }
            std::reverse(order.begin(), order.end());
        }
    }
    table_record made{.key = std::string{table.about.key},
                      .title = std::string{table.about.title},
                      .bias = std::string{table.about.bias},
                      .unit = std::string{table.about.unit},
                      .compared_to = std::string{table.about.compared_to},
                      .has_bars = true,
                      .cells = {}};
    result_table shown{table.about.title, table.about.unit, table.about.compared_to};
    for (const cell* each : cells) {
        std::vector<double> samples =
            measured.of(name_of(table.about.key, each->column, each->contestant));
        cell_record& record = made.cells.emplace_back(
            cell_record{.row = std::string{each->contestant}, .column = std::string{each->column}});
        const lost_turn& turn = lost[each->prepare];
        if (!turn.reason.empty()) {
            refuse(*each, turn.reason, turn.crashed);
        }
        if (samples.empty() || turn.crashed) {
            record.text = turn.reason.empty() ? refusal_of(*each) : turn.reason;
            if (record.text.empty()) {
                record.text = "not measured";
            }
            continue;
        }
        record.median = tool::spread_of(samples).median;
        record.samples = std::move(samples);
        shown.set(each->contestant, each->column, *record.median);
    }
    std::fputs(shown.text().c_str(), stdout);
    for (const auto& [prepare, turn] : lost) {
        if (!turn.reason.empty()) {
            const std::string note = "Not measured in a process of its own: " + turn.reason;
            std::printf("%s\n", tool::wrap("* ", note).c_str());
        }
    }
    std::fflush(stdout);
    return made;
}

} // namespace resident::bench
