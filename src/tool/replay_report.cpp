#include "tool/replay_report.hpp"

#include "tool/machine.hpp"
#include "tool/quantities.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace resident::tool {
namespace {

constexpr double mebibyte = 1 << 20;

std::string heading(const text_abilities& abilities, const std::string& text) {
    return emphasise(abilities, emphasis::strong, text) + "\n";
}

/// In words: what decides whether the times may be compared to others.
std::string machine_text(const replay_result& result) {
    std::string text;
    for (const char* const name : {"processor", "kernel", "governor", pinned_fact}) {
        const auto found = std::find_if(result.machine.begin(), result.machine.end(),
                                        [name](const auto& fact) { return fact.first == name; });
        if (found != result.machine.end())
            text += fmt::format("{}{} {}", text.empty() ? "" : "; ", name, found->second);
    }
    return text + fmt::format("; reading the clock: p50 {}, p99.99 {}",
                              short_duration(result.noise.percentile(0.5)),
                              short_duration(result.noise.percentile(0.9999)));
}

std::vector<std::pair<std::string, std::string>> conditions_of(const replay_result& result) {
    auto conditions = describe_trace(result.input);
    const auto arena_row =
        std::find_if(result.contestants.begin(), result.contestants.end(),
                     [](const replay_figures& row) { return row.who->is_arena; });
    std::string memory = short_size(result.capacity) + ", " + result.capacity_from;
    if (arena_row != result.contestants.end() && !arena_row->page_kind.empty()) {
        memory += fmt::format("; {}, pages: {}", result.options.lock ? "locked" : "not locked",
                              arena_row->page_kind);
    }
    conditions.emplace_back("arena", memory);
    conditions.emplace_back(
        "measured", fmt::format("{}, each in a new process{}",
                                counted(result.options.repetitions, "repetition"),
                                result.options.verify ? ", after one that verified every block"
                                                      : "; nothing was verified"));
    conditions.emplace_back("machine", machine_text(result));
    return conditions;
}

std::string name_cell(const replay_figures& row, const text_abilities& abilities) {
    const emphasis how = row.who->is_arena ? emphasis::strong : emphasis::none;
    return emphasise(abilities, how, fmt::format("{:<12}", row.who->name));
}

std::string why_not(const replay_figures& row) {
    if (!row.broken.empty())
        return "broken: see below";
    if (row.refusal.what != replay::finding::kind::none)
        return "does not fit: see below";
    return "not measured: see below";
}

std::string fits_cell(const replay_figures& row, const text_abilities& abilities) {
    if (row.who->is_control)
        return {};
    if (!row.fits)
        return fmt::format("{:>7}", "-");
    return emphasise(abilities, *row.fits ? emphasis::good : emphasis::bad,
                     fmt::format("{:>7}", *row.fits ? "yes" : "no"));
}

std::string peak_cell(const replay_figures& row) {
    if (!row.tells_peak())
        return "-";
    return fmt::format("{:.2f}", static_cast<double>(row.memory_held) / mebibyte);
}

std::string table_row(const replay_figures& row, const text_abilities& abilities) {
    if (!row.measured())
        return fmt::format("{}  {}\n", name_cell(row, abilities), why_not(row));
    const std::uint64_t minor = row.minor_faults();
    const std::uint64_t major = row.major_faults();
    return fmt::format("{}{:>11.1f}{:>8.0f} %{}{:>14}{}\n", name_cell(row, abilities),
                       row.median_ns(), row.spread() * 100,
                       emphasise(abilities, minor + major == 0 ? emphasis::good : emphasis::bad,
                                 fmt::format("{:>12}{:>8}", grouped(minor), grouped(major))),
                       peak_cell(row), fits_cell(row, abilities));
}

std::string main_table(const replay_result& result, const text_abilities& abilities) {
    std::string text = heading(abilities, fmt::format("{:12}{:>21}{:>20}{:>14}", "", "ns per event",
                                                      "page faults", "memory at"));
    text +=
        heading(abilities, fmt::format("{:12}{:>11}{:>10}{:>12}{:>8}{:>14}{:>7}", "contestant",
                                       "median", "spread", "minor", "major", "peak, MiB", "fits"));
    for (const replay_figures& row : result.contestants)
        text += table_row(row, abilities);
    return text + "\n";
}

std::string instruction_cells(const sampled_calls& calls) {
    if (calls.calls == 0)
        return fmt::format("{:>9}{:>9}{:>9}", "-", "-", "-");
    return fmt::format("{:>9}{:>9}{:>9}", grouped(calls.median), grouped(calls.p99),
                       grouped(calls.max));
}

bool was_sampled(const replay_figures& row) { return row.allocations.calls + row.frees.calls != 0; }

std::string instruction_table(const replay_result& result, const text_abilities& abilities) {
    std::uint64_t calls = 0;
    std::string rows;
    for (const replay_figures& row : result.contestants) {
        if (!was_sampled(row))
            continue;
        calls = std::max({calls, row.allocations.calls, row.frees.calls});
        rows += fmt::format("{}{}{}\n", name_cell(row, abilities),
                            instruction_cells(row.allocations), instruction_cells(row.frees));
    }
    if (rows.empty())
        return {};
    std::string text =
        heading(abilities, fmt::format("{:12}{:>27}{:>27}", fmt::format("{} calls", grouped(calls)),
                                       "instructions of allocate", "instructions of free"));
    text += heading(abilities, fmt::format("{:12}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}", "each", "p50",
                                           "p99", "max", "p50", "p99", "max"));
    return text + rows + "\n";
}

/// The begin of a long command line says which it is.
std::string shortened(const std::string& command) {
    constexpr std::size_t longest = 120;
    return command.size() <= longest ? command : command.substr(0, longest - 4) + " ...";
}

/// Names with one reason together.
class grouped_reasons {
public:
    void add(std::string_view name, const std::string& reason) {
        for (auto& [names, known] : groups_) {
            if (known == reason) {
                names += fmt::format(", {}", name);
                return;
            }
        }
        groups_.emplace_back(name, reason);
    }
    void append_to(std::vector<std::string>& notes) const {
        for (const auto& [names, reason] : groups_)
            notes.push_back(fmt::format("{}: {}", names, reason));
    }

private:
    std::vector<std::pair<std::string, std::string>> groups_;
};

} // namespace

std::vector<std::pair<std::string, std::string>> describe_trace(const trace_input& input) {
    const replay::trace_summary& summary = input.summary;
    std::string threads = counted(summary.threads, "thread");
    if (summary.threads > 1)
        threads += fmt::format(", at most {} at once", grouped(summary.most_threads));
    return {
        {"trace", fmt::format("{}: {}", input.path, shortened(input.header.command))},
        {"events",
         fmt::format("{}: {}, {}, {}; {}", grouped(summary.events),
                     counted(summary.allocations, "allocation"), counted(summary.frees, "free"),
                     counted(summary.reallocations, "reallocation"), threads)},
        {"live", fmt::format("at most {} in {}, from event {} on", short_size(summary.peak_bytes),
                             counted(summary.peak_blocks, "block"), grouped(summary.peak_event))}};
}

std::vector<std::string> notes_on(const replay_result& result) {
    std::vector<std::string> notes = notes_on(result.input);
    grouped_reasons missing;
    grouped_reasons not_sampled;
    grouped_reasons not_locked;
    for (const replay_figures& row : result.contestants) {
        if (!row.broken.empty())
            notes.push_back(fmt::format("{} is broken: {}.", row.who->name, row.broken));
        if (!row.missing.empty())
            missing.add(row.who->name, row.missing);
        if (row.arena_bytes != 0 && result.options.lock && !row.arena_locked)
            not_locked.add(row.who->name,
                           fmt::format("an arena with room to spare, {}, which could "
                                       "not be locked: see ulimit -l",
                                       short_size(row.arena_bytes)));
        if (!row.not_sampled.empty() && row.measured())
            not_sampled.add(row.who->name, "no instructions were counted: " + row.not_sampled);
        if (row.refusal.what == replay::finding::kind::no_room) {
            notes.push_back(fmt::format("{} does not fit: not even the pool itself, before the "
                                        "first event; resident size tells the capacity that is "
                                        "enough.",
                                        row.who->name));
        } else if (row.refusal.what != replay::finding::kind::none) {
            notes.push_back(fmt::format(
                "{} does not fit: event {} requests {} bytes, which are refused while {} are in "
                "use{}.",
                row.who->name, grouped(row.refusal.event), grouped(row.refusal.size),
                short_size(row.live_at_refusal),
                row.who->is_arena ? "; resident size tells the capacity that is enough" : ""));
        }
    }
    if (result.outgrown_capacity != 0)
        notes.push_back(fmt::format("An arena of {} had been found to be enough, and was not when "
                                    "the threads met in another way: all began anew on {}.",
                                    short_size(result.outgrown_capacity),
                                    short_size(result.capacity)));
    missing.append_to(notes);
    not_locked.append_to(notes);
    not_sampled.append_to(notes);
    return notes;
}

std::string replay_text(const replay_result& result, const text_abilities& abilities) {
    std::string text;
    for (const auto& [name, value] : conditions_of(result))
        text += wrap(fmt::format("{:<10}", name), value);
    text += "\n" + main_table(result, abilities) + instruction_table(result, abilities);
    for (const std::string& note : notes_on(result))
        text += wrap("* ", note);
    return in_characters_of(abilities, text);
}

} // namespace resident::tool
