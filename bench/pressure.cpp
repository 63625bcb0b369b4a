/// The loop of `resident demo` beside a memory hog, in a memory cgroup with swap: for arenas of
/// several sizes, and longer. The machinery is the demo's own, so that there is one loop, one hog
/// and one way to clean up.
#include "os/harness/shared_memory.hpp"
#include "os/harness/terminal.hpp"
#include "os/harness/termination_signals.hpp"
#include "resident/memory_limit.hpp"
#include "resident/size_literals.hpp"
#include "support/generated_records.hpp"
#include "support/part_file.hpp"
#include "support/run_options.hpp"
#include "tool/conclusion.hpp"
#include "tool/contest.hpp"
#include "tool/contest_child.hpp"
#include "tool/demo_command.hpp"
#include "tool/demo_measurement.hpp"
#include "tool/quantities.hpp"
#include "tool/quantity_option.hpp"
#include "tool/report_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace resident;
using namespace resident::bench;
using resident::tool::contest_result;
using resident::tool::contest_round;
using resident::tool::demo_result;
using resident::tool::short_size;

constexpr std::array full_sizes{8_MiB, 64_MiB, 256_MiB};
constexpr std::array quick_sizes{8_MiB, 64_MiB};

/// Building up the pressure takes longer than the quick mode's second of measuring: what differs
/// little from its neighbour is left to --full.
constexpr std::array<std::string_view, 6> quick_contestants{
    "empty loop",           "malloc", "mlockall + one arena", "jemalloc", "resident pool (pmr)",
    "resident, two threads"};

constexpr const char* bias =
    "for whoever locks its memory: the hog takes everything else. Each period touches little, and "
    "the machine's own noise is in all maxima";

/// Beside those of every program; 0: as the mode has it.
struct own_options {
    std::size_t capacity = 0;
    std::chrono::nanoseconds duration{0};
};

void complain(std::string_view what) { fmt::print(stderr, "bench_pressure: {}\n", what); }

/// Sizes that were asked for and may be locked here; a single 0, for the demo's own choice, if
/// there is none. What does not fit goes into `notes`.
std::vector<std::size_t> sizes_that_fit(bool full, const own_options& own,
                                        std::vector<std::string>& notes) {
    if (own.capacity != 0) {
        return {own.capacity};
    }
    const std::span<const std::size_t> wanted =
        full ? std::span<const std::size_t>{full_sizes} : std::span<const std::size_t>{quick_sizes};
    const auto limit = raise_memory_limit();
    const std::size_t lockable = limit ? limit->headroom() : 0;
    std::vector<std::size_t> sizes;
    for (const std::size_t size : wanted) {
        if (size <= lockable / 2) {
            sizes.push_back(size);
        } else {
            notes.push_back(fmt::format("Arena of {}: not measured: the memlock limit leaves {}, "
                                        "and half of that is for the program's own code",
                                        short_size(size), short_size(lockable)));
        }
    }
    return sizes.empty() ? std::vector<std::size_t>{0} : sizes;
}

tool::demo_options options_for(std::size_t size, bool full, const own_options& own) {
    tool::demo_options options;
    options.capacity = size;
    options.duration = std::chrono::seconds{full ? 10 : 1};
    if (own.duration.count() != 0) {
        options.duration = own.duration;
    }
    if (!full) {
        options.contestants.assign(quick_contestants.begin(), quick_contestants.end());
    }
    return options;
}

/// Throws: tool::usage_error if and only if this size cannot be measured here.
tool::demo_setup set_up(tool::demo_options& options) {
    const std::string text = generated_records();
    std::string reason;
    const auto file = os::shared_memory::create("generated records", text.size(), reason);
    if (!file) {
        throw std::runtime_error{reason};
    }
    text.copy(static_cast<char*>(file->data()), text.size());
    options.input = fmt::format("/proc/self/fd/{}", file->descriptor());
    tool::demo_setup setup = tool::set_up(options);
    options.input = setup.load.input = "generated";
    return setup;
}

/// Another column for every `function` of a row.
struct column {
    const char* name;
    double (*function)(const contest_result&);
    std::uint64_t contest_round::*of_round = nullptr; ///< what shows the spread
};

constexpr column fault_columns[] = {
    {"minor", [](const contest_result& row) { return static_cast<double>(row.minor_faults); }},
    {"major", [](const contest_result& row) { return static_cast<double>(row.major_faults); }},
};

template <int PerMille>
double percentile(const contest_result& row) {
    return static_cast<double>(row.work.percentile(PerMille / 1000.0));
}
constexpr column time_columns[] = {
    {"p50", percentile<500>, &contest_round::p50},
    {"p99", percentile<990>, &contest_round::p99},
    {"p99.9", percentile<999>, &contest_round::p999},
    {"max", [](const contest_result& row) { return static_cast<double>(row.work.largest()); }},
};

constexpr column missed_columns[] = {
    {"missed", [](const contest_result& row) { return static_cast<double>(row.missed_periods); }},
    {"measured", [](const contest_result& row) { return static_cast<double>(row.work.total()); }},
};

constexpr column locked_columns[] = {
    {"locked",
     [](const contest_result& row) { return static_cast<double>(row.locked_bytes) / (1 << 20); }},
};

void add_cells(table_record& table, std::span<const column> columns, const demo_result& result) {
    for (const contest_result& row : result.contestants) {
        for (const column& each : columns) {
            cell_record& cell = table.cells.emplace_back(
                cell_record{.row = std::string{row.who->name}, .column = each.name});
            if (!row.measured) {
                cell.text = "not measured";
                continue;
            }
            cell.median = each.function(row);
            if (each.of_round != nullptr) {
                for (const contest_round& round : row.rounds) {
                    cell.samples.push_back(static_cast<double>(round.*each.of_round));
                }
            }
        }
    }
}

/// Figures with and without pressure are never those of the same thing.
std::string key_of(const demo_result& result) {
    return fmt::format("{}pressure-{}MiB", result.pressure.active ? "" : "without-",
                       result.load.arena_capacity >> 20);
}

/// What the tables of one size have in common; several, because each has one unit.
void add_tables(part_record& part, const demo_result& result) {
    const std::string size = short_size(result.load.arena_capacity);
    const std::string place =
        fmt::format("{}arena of {}", result.pressure.active ? "" : "WITHOUT pressure, ", size);
    const auto add = [&](const char* key, const char* title, const char* unit, preference better,
                         bool has_bars, std::span<const column> columns) {
        table_record table{.key = fmt::format("{}-{}", key_of(result), key),
                           .title = fmt::format("{}, {}", title, place),
                           .bias = bias,
                           .unit = unit,
                           .better = better,
                           .has_bars = has_bars};
        add_cells(table, columns, result);
        part.tables.push_back(std::move(table));
    };
    add("faults", "Page faults of the loop's thread", "page faults", preference::less, true,
        fault_columns);
    add("times", "Time for the work of a period", "ns", preference::less, true, time_columns);
    add("periods", "Periods left out because the loop was late, and those measured", "periods",
        preference::neither, false, missed_columns);
    add("locked", "Locked memory of the process", "MiB", preference::neither, false,
        locked_columns);
}

void add_curve(part_record& part, const demo_result& result) {
    curve_record curve{.key = key_of(result),
                       .title = fmt::format("Work of a period {} a memory hog, arena of {}",
                                            result.pressure.active ? "beside" : "WITHOUT",
                                            short_size(result.load.arena_capacity)),
                       .bias = bias,
                       .unit = "ns",
                       .charts = {"steps", "percentiles"}};
    for (const contest_result& row : result.contestants) {
        if (row.measured) {
            curve.series.push_back({.contestant = std::string{row.who->name},
                                    .buckets = buckets_of(row.work),
                                    .total = row.work.total(),
                                    .largest = row.work.largest(),
                                    .minor_faults = row.minor_faults,
                                    .major_faults = row.major_faults});
        }
    }
    part.curves.push_back(std::move(curve));
}

/// The same is often to be said of each size.
void add_note(part_record& part, std::string note) {
    if (std::find(part.notes.begin(), part.notes.end(), note) == part.notes.end()) {
        part.notes.push_back(std::move(note));
    }
}

void add_result(part_record& part, const demo_result& result) {
    add_tables(part, result);
    add_curve(part, result);
    const std::string size = short_size(result.load.arena_capacity);
    for (const auto& [name, value] : tool::conditions_of(result)) {
        if (name != "arena") {
            const bool is_same_for_all = name == "input" || name == "loop" || name == "measured";
            add_note(part, is_same_for_all ? fmt::format("{}: {}", name, value)
                                           : fmt::format("{} for {}: {}", name, size, value));
        }
    }
    for (const std::string& note : tool::notes_on(result)) {
        add_note(part, note);
    }
    add_note(part, fmt::format("{}: {}", size, tool::conclude(result)));
}

void show(const demo_result& result) {
    const tool::text_abilities abilities = tool::abilities_of_output();
    const std::string text =
        tool::text_report(result, abilities) +
        tool::in_characters_of(abilities, tool::wrap("", tool::conclude(result))) + "\n";
    fmt::print("{}", text);
    std::fflush(stdout);
}

/// Measures one size. Returns: empty, or why it was not measured.
std::string measure(tool::demo_options options, os::termination_signals& signals,
                    part_record& part) {
    try {
        const tool::demo_setup setup = set_up(options);
        tool::progress_line progress{
            fmt::format("bench_pressure: arena of {}", short_size(setup.load.arena_capacity)),
            false};
        const demo_result result = tool::measure(options, setup, signals, progress, complain);
        show(result);
        add_result(part, result);
        return {};
    } catch (const std::exception& failure) {
        return failure.what();
    }
}

part_record measure_all(const run_options& options, const own_options& own,
                        os::termination_signals& signals) {
    part_record part{.part = "pressure",
                     .title = "Pressure: the loop beside a memory hog",
                     .program = "pressure",
                     .full = options.full};
    for (const tool::contestant& each : tool::all_contestants()) {
        part.contestants.emplace_back(each.name, each.description);
    }
    if (!options.full) {
        part.notes.emplace_back("The quick mode leaves out contestants that differ little from "
                                "another, and arenas above 64 MiB; --full measures all");
    }
    std::string failures;
    for (const std::size_t size : sizes_that_fit(options.full, own, part.notes)) {
        std::string failure = measure(options_for(size, options.full, own), signals, part);
        if (!failure.empty()) {
            failure = fmt::format("{}: not measured: {}",
                                  size == 0 ? "An arena of what may be locked here"
                                            : "Arena of " + short_size(size),
                                  failure);
            complain(failure);
            failures += (failures.empty() ? "" : "; ") + failure;
            part.notes.push_back(std::move(failure));
        }
    }
    if (part.curves.empty()) {
        part.not_measured = failures;
    }
    return part;
}

/// The demo's children are this program, started again with one of these words.
int (*child_named(std::span<char* const> words))() {
    if (words.size() == 2 && words[1] == std::string_view{"contest-child"}) {
        return tool::run_contest_child;
    }
    if (words.size() == 2 && words[1] == std::string_view{"hog-child"}) {
        return tool::run_hog_child;
    }
    return nullptr;
}

} // namespace

int main(int argc, char** argv) {
    if (auto* const child = child_named({argv, static_cast<std::size_t>(argc)})) {
        return child();
    }
    const part_writer writer;
    own_options own;
    const run_options options = parse_command_line(
        argc, argv, "Measure the demo's loop beside a memory hog", other_words::refused,
        [&own](CLI::App& application) {
            tool::add_quantity(application, "--capacity", own.capacity, "SIZE",
                               "Measure with an arena of this size alone", tool::parse_capacity);
            tool::add_quantity(application, "-D,--duration", own.duration, "TIME",
                               "Time measured per contestant", tool::parse_measured_time);
        });
    int signal = 0;
    try {
        os::termination_signals signals;
        return writer.finish(measure_all(options, own, signals), options);
    } catch (const tool::interrupted& what) {
        signal = what.signal;
    }
    complain("stopped; the machine is as it was before, nothing was written");
    os::termination_signals::end_by(signal);
}
