#include "tool/conclusion.hpp"

#include "tool/quantities.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace resident::tool {
namespace {

/// The first measured contestant on plain malloc: what most programs have.
const contest_result* find_malloc_row(const demo_result& result) {
    const auto found = std::find_if(
        result.contestants.begin(), result.contestants.end(), [](const contest_result& row) {
            return row.measured && row.who->name == std::string_view("malloc");
        });
    return found == result.contestants.end() ? nullptr : &*found;
}

std::string faults_of(const contest_result& row) {
    return row.faults() == 0 ? "no page fault" : counted(row.faults(), "page fault");
}

/// Names of those not measured, and why; those with the same reason together.
std::vector<std::pair<std::string, std::string>> left_out(const demo_result& result) {
    std::vector<std::pair<std::string, std::string>> groups;
    for (const contest_result& row : result.contestants) {
        if (row.measured)
            continue;
        const auto same = std::find_if(groups.begin(), groups.end(), [&row](const auto& group) {
            return group.second == row.reason;
        });
        if (same == groups.end()) {
            groups.emplace_back(row.who->name, row.reason);
        } else {
            same->first += fmt::format(", {}", row.who->name);
        }
    }
    return groups;
}

std::string scheduling(const demo_result& result) {
    const bool real_time = std::any_of(result.contestants.begin(), result.contestants.end(),
                                       [](const contest_result& row) { return row.real_time; });
    return real_time ? fmt::format("SCHED_FIFO {}", result.options.priority) : "normal scheduling";
}

std::string pressure_text(const pressure_state& state) {
    if (!state.active)
        return "none: " + state.reason;
    return fmt::format("a memory cgroup of {} that a hog of {} fills; swap: {}",
                       short_size(state.cgroup_limit), short_size(state.hog_bytes), state.swap);
}

} // namespace

std::string conclude(const demo_result& result) {
    std::uint64_t longest = 0;
    std::uint64_t periods = 0;
    for (const contest_result* row : result.arena_rows()) {
        if (!row->measured) {
            return fmt::format("Nothing is shown: {} could not be measured.", row->who->name);
        }
        if (row->faults() != 0) {
            return fmt::format("The loop on {} took {} ({} major) and should take none: this is a "
                               "failure, please report it.",
                               row->who->name, faults_of(*row), grouped(row->major_faults));
        }
        longest = std::max(longest, row->work.largest());
        periods += row->work.total();
    }
    const std::string where =
        result.pressure.active ? "Under memory pressure" : "Without memory pressure";
    const contest_result* malloc_row = find_malloc_row(result);
    if (malloc_row == nullptr) {
        return fmt::format("{}, the loop on the resident arena took no page fault in {}.", where,
                           counted(periods, "period"));
    }
    return fmt::format("{}, the loop on malloc took {} and up to {} for the work of a period; on "
                       "the resident arena, in one thread and in two, it took no page fault and "
                       "at most {}.",
                       where, faults_of(*malloc_row), short_duration(malloc_row->work.largest()),
                       short_duration(longest));
}

std::vector<std::string> notes_on(const demo_result& result) {
    std::vector<std::string> notes;
    for (const auto& [names, reason] : left_out(result))
        notes.push_back(names + ": " + reason);
    const contest_result& arena_row = *result.arena_rows().front();
    if (arena_row.scheduling_error != 0) {
        notes.push_back(fmt::format("SCHED_FIFO was refused ({}): other programs may delay the "
                                    "loop. `@realtime - rtprio 95` in /etc/security/limits.d "
                                    "permits it.",
                                    std::strerror(arena_row.scheduling_error)));
    }
    if (arena_row.measured && !arena_row.harness_locked) {
        notes.emplace_back("The memlock limit leaves no room to lock all of the demo's own code; "
                           "that part is in RAM but may be taken from it.");
    }
    if (!result.pressure.active && result.options.pressure) {
        notes.push_back(fmt::format("There was no memory pressure: {}. As root the demo shows what "
                                    "happens beside a memory hog.",
                                    result.pressure.reason));
    }
    if (result.load.cut_records != 0) {
        notes.push_back(fmt::format("{} of the input {} longer than 16 KiB and cut.",
                                    counted(result.load.cut_records, "record"),
                                    result.load.cut_records == 1 ? "is" : "are"));
    }
    return notes;
}

std::vector<std::pair<std::string, std::string>> conditions_of(const demo_result& result) {
    const workload& load = result.load;
    std::string input = fmt::format("{}: {}, {}", load.input, counted(load.input_records, "record"),
                                    short_size(load.input_bytes));
    if (load.input_total_bytes > load.input_bytes) {
        input += fmt::format(", the first of {}", short_size(load.input_total_bytes));
    }
    std::vector<std::pair<std::string, std::string>> conditions{
        {"input", input + "; over and over"},
        {"store", fmt::format("the latest {} in an unordered_map of vectors of strings, and a list",
                              counted(load.kept_records, "record"))},
        {"loop", fmt::format("each {} one record in, the oldest out, four found and read; {}",
                             exact_duration(result.options.interval), scheduling(result))},
        {"measured",
         fmt::format("{} per contestant in {}, each turn in a new process",
                     exact_duration(result.options.duration), counted(result.rounds, "round"))},
        {"arena", short_size(load.arena_capacity)},
        {"pressure", pressure_text(result.pressure)}};
    std::string& pages = conditions[4].second;
    const std::string& kind = result.arena_rows().front()->page_kind;
    if (!kind.empty())
        pages += ", pages: " + kind;
    return conditions;
}

} // namespace resident::tool
