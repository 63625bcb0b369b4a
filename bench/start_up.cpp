/// How long it takes to have memory that is there: an arena locked and populated, by the kind of
/// its pages and by its size, beside what a program would do without it. Each measurement is a
/// process of its own, started anew, so that no memory is used a second time.
#include "os/harness/child_process.hpp"
#include "os/harness/termination_signals.hpp"
#include "reserved_pages.hpp"
#include "start_up_child.hpp"
#include "support/part_file.hpp"
#include "support/run_options.hpp"
#include "tool/demo_command.hpp"
#include "tool/progress_line.hpp"
#include "tool/quantities.hpp"
#include "tool/quantity_option.hpp"
#include "tool/spread.hpp"
#include "tool/text_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>

namespace {

using namespace resident;
using namespace resident::bench;
using namespace std::chrono_literals;
using resident::tool::short_size;
using std::chrono::steady_clock;

constexpr const char* bias =
    "nothing else is at work, and all memory is free: a machine that has run for long has fewer "
    "huge pages, and must look for them. The first row locks nothing. An arena also proves that "
    "each page is there, and writes to it once; what that spares is in the table of first use";

/// Beyond that a measurement hangs.
constexpr auto longest_child = 120s;

struct sizes_and_rounds {
    std::size_t bytes;
    unsigned rounds;
};
constexpr std::array<sizes_and_rounds, 4> quick_plan{
    {{16_MiB, 5}, {64_MiB, 5}, {256_MiB, 5}, {1_GiB, 3}}};
constexpr std::array<sizes_and_rounds, 5> full_plan{
    {{16_MiB, 15}, {64_MiB, 15}, {256_MiB, 9}, {1_GiB, 7}, {4_GiB, 5}}};
/// What the quick mode may take; a size that seems to need more is measured less often, or not.
constexpr auto quick_budget = 17s;

/// Bytes that RAM and every cgroup above this process still have.
std::size_t available_memory() {
    const headroom_snapshot now = read_headroom();
    std::size_t available = now.available_memory;
    for (const memory_cgroup_level& level : std::span(now.cgroups).first(now.cgroup_count)) {
        available = std::min(available, level.limit - std::min(level.limit, level.usage));
    }
    return available;
}

struct measured_way {
    std::vector<double> milliseconds;
    std::vector<double> first_use; ///< milliseconds
    std::vector<double> minor_faults;
    std::vector<double> reserving; ///< milliseconds
    std::string pages;             ///< that an arena got
    std::optional<refusal> refused;
};

/// One size: every way in turn.
struct measured_size {
    std::size_t bytes = 0;
    std::array<measured_way, start_up_ways.size()> ways{};
};

/// How far all has come.
class start_up {
public:
    /// `only`: the size to measure; 0: as the mode has it.
    start_up(bool full, std::size_t only, os::termination_signals& signals, part_record& part)
        : full_(full), signals_(signals), part_(part) {
        const sizes_and_rounds one{only, 3};
        if (only != 0) {
            choose_sizes({&one, 1});
        } else if (full_) {
            choose_sizes(full_plan);
        } else {
            choose_sizes(quick_plan);
        }
    }

    std::vector<measured_size> run() {
        std::vector<measured_size> sizes;
        progress_.rounds = static_cast<unsigned>(plan_.size());
        for (const sizes_and_rounds& each : plan_) {
            sizes.push_back({.bytes = each.bytes});
            if (measure(sizes.back(), each.rounds) == 0) {
                sizes.pop_back();
            }
            ++progress_.round;
        }
        return sizes;
    }

private:
    void choose_sizes(std::span<const sizes_and_rounds> wanted) {
        const auto limit = raise_memory_limit();
        const std::size_t lockable = limit ? limit->headroom() : 0;
        const auto is_lockable = [lockable](std::size_t bytes) {
            return arena::memlock_needed({.capacity = bytes}) <= lockable;
        };
        for (const std::size_t small : {4_MiB, 1_MiB}) { // for an ordinary user's limit
            if (plan_.empty() && !is_lockable(wanted.front().bytes) && is_lockable(small)) {
                plan_.push_back({small, wanted.front().rounds});
            }
        }
        const std::size_t available = available_memory();
        for (const sizes_and_rounds& each : wanted) {
            if (each.bytes <= available / 2) {
                plan_.push_back(each);
            } else {
                part_.notes.push_back(fmt::format(
                    "{}: left out: {} of memory are available, and half of that is left alone",
                    short_size(each.bytes), short_size(available)));
            }
        }
        for (const sizes_and_rounds& each : plan_) {
            work_in_all_ += static_cast<double>(each.bytes) * each.rounds;
        }
    }

    /// Returns: how many rounds there was time for.
    unsigned measure(measured_size& size, unsigned rounds) {
        unsigned round = 0;
        for (; round != rounds; ++round) {
            const auto begin = steady_clock::now();
            if (!full_ && is_enough(round, begin - begin_, size.bytes == plan_.back().bytes)) {
                part_.notes.push_back(
                    fmt::format("{}: measured {} of {} times: this machine would take too long for "
                                "the quick mode; --full has the time",
                                short_size(size.bytes), round, rounds));
                break;
            }
            for (std::size_t turn = 0; turn != start_up_ways.size(); ++turn) {
                const std::size_t index = (turn + 2 * round) % start_up_ways.size();
                if (!size.ways[index].refused) { // it would be refused again
                    take_turn(index, size.bytes, size.ways[index]);
                }
                done_ += static_cast<double>(size.bytes) / start_up_ways.size();
            }
            longest_round_ = steady_clock::now() - begin;
        }
        longest_round_ *= 4; // the next size is four times as large
        return round;
    }

    /// Whether the quick mode has no time for another round; after one it sees to it that the next
    /// size gets one, which takes four times as long.
    [[nodiscard]] bool is_enough(unsigned round, steady_clock::duration gone, bool is_last) const {
        const auto left = quick_budget - gone;
        const auto next_size = 4 * longest_round_;
        return left < longest_round_ ||
               (round >= 1 && !is_last && left >= next_size && left - longest_round_ < next_size);
    }

    void take_turn(std::size_t index, std::size_t bytes, measured_way& way) {
        try {
            std::optional<reserved_pages> reserved;
            if (start_up_ways[index].reserved_page != 0) {
                reserved.emplace(start_up_ways[index], bytes);
                if (const auto took = reserved->milliseconds()) {
                    way.reserving.push_back(*took);
                }
            }
            const auto memory = run_child(index, bytes);
            const auto& channel = *static_cast<const start_up_channel*>(memory.data());
            if (channel.cause[0] != '\0') {
                throw refusal{channel.cause.data(), channel.reason.data()};
            }
            way.pages = channel.pages.data();
            way.milliseconds.push_back(static_cast<double>(channel.nanoseconds) / 1e6);
            way.first_use.push_back(static_cast<double>(channel.first_use_nanoseconds) / 1e6);
            way.minor_faults.push_back(static_cast<double>(channel.minor_faults));
        } catch (const refusal& why) {
            way.refused = why;
        }
    }

    /// Throws: refusal if it does not come to its end; tool::interrupted on a signal.
    os::shared_memory run_child(std::size_t index, std::size_t bytes) {
        std::string reason;
        auto memory = os::shared_memory::create("start-up", sizeof(start_up_channel), reason);
        if (!memory) {
            throw std::runtime_error{reason};
        }
        auto& channel = *new (memory->data()) start_up_channel;
        channel.way = static_cast<std::uint32_t>(index);
        channel.bytes = bytes;
        auto child = os::child_process::start({.arguments = {"bench_start_up", "start-up-child"},
                                               .environment = {"LD_BIND_NOW=1"},
                                               .descriptors = {memory->descriptor()}},
                                              reason);
        if (!child) {
            throw std::runtime_error{"a measurement does not start: " + reason};
        }
        const auto deadline = steady_clock::now() + longest_child;
        while (!child->poll()) {
            if (const int signal = signals_.wait(5ms); signal != 0) {
                throw tool::interrupted{signal};
            }
            show(index, bytes, channel.populated.load());
            if (steady_clock::now() > deadline) {
                throw refusal{"time", "took longer than two minutes"};
            }
        }
        if (!channel.done.load()) {
            const os::child_end end = child->wait();
            throw refusal{"crash", fmt::format("its process ended by signal {} with code {}: {}",
                                               end.signal, end.exit_code, child->output())};
        }
        return std::move(*memory);
    }

    void show(std::size_t index, std::size_t bytes, std::size_t populated) {
        const std::string name =
            fmt::format("{}, {}", short_size(bytes), start_up_ways[index].name);
        const double share = static_cast<double>(populated) / static_cast<double>(bytes);
        const std::string doing = fmt::format("{:.0f} % populated", 100 * share);
        progress_.contestant = name;
        progress_.doing = doing;
        progress_.share =
            (done_ + static_cast<double>(populated) / start_up_ways.size()) / work_in_all_;
        line_.show(progress_);
    }

    bool full_;
    os::termination_signals& signals_;
    part_record& part_;
    std::vector<sizes_and_rounds> plan_;
    tool::contest_progress progress_;
    tool::progress_line line_{"bench_start_up", false};
    double work_in_all_ = 0; ///< bytes, of all rounds
    double done_ = 0;
    steady_clock::time_point begin_ = steady_clock::now();
    steady_clock::duration longest_round_{};
};

/// Those of a way that `samples` names, for all sizes.
table_record table_of(const std::vector<measured_size>& sizes, table_record table,
                      std::vector<double> measured_way::*samples, bool only_reserved = false) {
    for (std::size_t index = 0; index != start_up_ways.size(); ++index) {
        if (only_reserved && start_up_ways[index].reserved_page == 0) {
            continue;
        }
        for (const measured_size& size : sizes) {
            const measured_way& way = size.ways[index];
            cell_record& cell = table.cells.emplace_back(cell_record{
                .row = std::string{start_up_ways[index].name}, .column = short_size(size.bytes)});
            cell.samples = way.*samples;
            if (way.refused) {
                cell.text = "refused";
                cell.samples.clear();
            } else if (cell.samples.empty()) {
                cell.text = "not measured";
            } else {
                cell.median = tool::spread_of(cell.samples).median;
            }
        }
    }
    return table;
}

void add_tables(part_record& part, const std::vector<measured_size>& sizes) {
    part.tables.push_back(table_of(sizes,
                                   {.key = "start-up-time",
                                    .title = "Time until the memory is there, and locked",
                                    .bias = bias,
                                    .unit = "ms",
                                    .compared_to = "mmap, mlock",
                                    .has_bars = true},
                                   &measured_way::milliseconds));
    part.tables.push_back(table_of(sizes,
                                   {.key = "start-up-first-use",
                                    .title = "First use: a write to each page afterwards",
                                    .bias = "against ways that leave work for later: in a virtual "
                                            "machine the first write to a page may wait for the "
                                            "host, which no fault counter here sees",
                                    .unit = "ms",
                                    .compared_to = "mmap, mlock"},
                                   &measured_way::first_use));
    part.tables.push_back(table_of(sizes,
                                   {.key = "start-up-faults",
                                    .title = "Minor page faults of the whole process meanwhile",
                                    .bias = "pages that one call populates count or do not count "
                                            "as the kernel pleases; one huge page is one fault",
                                    .unit = "page faults"},
                                   &measured_way::minor_faults));
    part.tables.push_back(table_of(sizes,
                                   {.key = "start-up-reserving",
                                    .title = "Reserving huge pages beforehand, once a boot",
                                    .bias = "on free memory; not part of the times above, because "
                                            "an administrator does it",
                                    .unit = "ms"},
                                   &measured_way::reserving, true));
}

/// An arena of transparent huge pages is one of base pages where the kernel has none.
void add_pages(part_record& part, const std::vector<measured_size>& sizes) {
    for (std::size_t index = 0; index != start_up_ways.size(); ++index) {
        const measured_way& way = sizes.back().ways[index];
        if (!way.pages.empty() && !start_up_ways[index].name.ends_with(way.pages)) {
            part.notes.push_back(
                fmt::format("{}: its pages were {}", start_up_ways[index].name, way.pages));
        }
    }
}

/// What was refused for the same cause, together.
void add_refusals(part_record& part, const std::vector<measured_size>& sizes) {
    std::map<std::string, std::pair<std::string, std::string>> by_cause; // who, and the reason
    for (std::size_t index = 0; index != start_up_ways.size(); ++index) {
        std::map<std::string, std::string> sizes_of_cause;
        for (const measured_size& size : sizes) {
            if (const auto& refused = size.ways[index].refused) {
                sizes_of_cause[refused->cause] += ", " + short_size(size.bytes);
                by_cause.try_emplace(refused->cause, "", refused->reason);
            }
        }
        for (const auto& [cause, list] : sizes_of_cause) {
            std::string& who = by_cause[cause].first;
            who += fmt::format("{}{} ({})", who.empty() ? "" : "; ", start_up_ways[index].name,
                               list.substr(2));
        }
    }
    for (const auto& [cause, said] : by_cause) {
        part.notes.push_back(fmt::format("Refused: {}: {}", said.first, said.second));
    }
}

std::string number(double value) {
    return value < 99.95 ? fmt::format("{:.2f}", value) : fmt::format("{:.0f}", value);
}

void show(const part_record& part) {
    const tool::text_abilities abilities = tool::abilities_of_output();
    std::string text;
    for (const table_record& table : part.tables) {
        std::string heads = fmt::format("{:26}", "");
        std::string lines;
        std::string row;
        for (const cell_record& cell : table.cells) {
            if (cell.row != row) {
                lines += fmt::format("{}{:26}", row.empty() ? "" : "\n", cell.row);
            }
            if (cell.row == table.cells.front().row) {
                heads += fmt::format("{:>9}", cell.column);
            }
            row = cell.row;
            lines += fmt::format("{:>9}", cell.median ? number(*cell.median) : "-");
        }
        text += fmt::format("{}\n", tool::emphasise(abilities, tool::emphasis::strong,
                                                    table.title + "; " + table.unit));
        text += heads + "\n" + lines + "\n\n";
    }
    for (const std::string& note : part.notes) {
        text += tool::wrap("* ", note);
    }
    fmt::print("{}", tool::in_characters_of(abilities, text));
    std::fflush(stdout);
}

part_record measure_all(bool full, std::size_t only, os::termination_signals& signals) {
    part_record part{.part = "start-up",
                     .title = "Start-up: time to lock and populate",
                     .program = "start-up",
                     .full = full};
    for (const start_up_way& way : start_up_ways) {
        part.contestants.emplace_back(way.name, way.what);
    }
    const std::vector<measured_size> sizes = start_up{full, only, signals, part}.run();
    if (sizes.empty()) {
        part.not_measured = part.notes.empty() ? "no size fits" : part.notes.front();
    } else {
        add_tables(part, sizes);
        add_pages(part, sizes);
        add_refusals(part, sizes);
    }
    show(part);
    return part;
}

} // namespace

int main(int argc, char** argv) {
    if (argc == 2 && argv[1] == std::string_view{"start-up-child"}) {
        return run_start_up_child();
    }
    const part_writer writer;
    std::size_t only = 0;
    const run_options options =
        parse_command_line(argc, argv, "Measure how long it takes to lock and populate memory",
                           other_words::refused, [&only](CLI::App& application) {
                               tool::add_quantity(application, "--capacity", only, "SIZE",
                                                  "Measure this size alone", tool::parse_capacity);
                           });
    int signal = 0;
    try {
        os::termination_signals signals;
        return writer.finish(measure_all(options.full, only, signals), options);
    } catch (const tool::interrupted& what) {
        signal = what.signal;
    } catch (const std::exception& failure) {
        fmt::print(stderr, "bench_start_up: {}\n", failure.what());
        return 1;
    }
    fmt::print(stderr, "bench_start_up: stopped; the machine is as it was before\n");
    os::termination_signals::end_by(signal);
}
