#include "tool/size_report.hpp"

#include "os/environment.hpp"
#include "resident/version.hpp"
#include "tool/quantities.hpp"
#include "tool/replay_json.hpp"
#include "tool/replay_report.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace resident::tool {
namespace {

using json = nlohmann::ordered_json;

/// Rows of the table; the others are one row together, and in the JSON report each.
constexpr std::size_t most_rows = 24;

/// Capacities are whole granules.
std::string kib(std::size_t bytes) { return grouped((bytes + 1023) / 1024) + " KiB"; }

std::uint64_t memlock_kib(const size_result& result) {
    return (result.found.memlock + 1023) / 1024;
}

std::string limits_line(const size_result& result) {
    return fmt::format("{} - memlock {}", os::read_environment().user.data(), memlock_kib(result));
}

std::string unit_line(const size_result& result) {
    return fmt::format("LimitMEMLOCK={}K", memlock_kib(result));
}

std::string class_row(const std::string& name, const replay::class_peaks& row) {
    return fmt::format("{:<14}{:>14}{:>16}{:>14}{:>16}\n", name, grouped(row.at_peak),
                       grouped(row.at_peak_bytes), grouped(row.peak), grouped(row.peak_bytes));
}

std::string class_table(const size_result& result, const text_abilities& abilities) {
    std::vector<replay::class_peaks> rows = result.classes;
    replay::class_peaks others;
    std::size_t left_out = 0;
    if (rows.size() > most_rows) {
        std::vector<std::size_t> order;
        for (const replay::class_peaks& row : rows)
            order.push_back(row.peak_bytes);
        std::nth_element(order.begin(), order.begin() + most_rows, order.end(), std::greater<>());
        const std::size_t least = order[most_rows];
        const auto small = [&](const replay::class_peaks& row) { return row.peak_bytes <= least; };
        for (const replay::class_peaks& row : rows) {
            if (!small(row))
                continue;
            ++left_out;
            others.at_peak += row.at_peak;
            others.at_peak_bytes += row.at_peak_bytes;
            others.peak += row.peak;
            others.peak_bytes += row.peak_bytes;
        }
        std::erase_if(rows, small);
    }
    std::string text = emphasise(abilities, emphasis::strong,
                                 fmt::format("{:14}{:>30}{:>30}", "", "when most bytes are live",
                                             "when most of it is live")) +
                       "\n";
    text += emphasise(abilities, emphasis::strong,
                      fmt::format("{:<14}{:>14}{:>16}{:>14}{:>16}", "block, bytes", "blocks",
                                  "bytes", "blocks", "bytes")) +
            "\n";
    for (const replay::class_peaks& row : rows)
        text += class_row(row.block_size == 0 ? "runs" : grouped(row.block_size), row);
    if (left_out != 0)
        text += class_row(fmt::format("{} others", left_out), others);
    return text + "\n";
}

std::string search_text(const size_result& result) {
    const found_capacity& search = result.found.search;
    std::string text = fmt::format("{} for one pool: ", kib(search.capacity));
    if (search.confirmations != 0)
        text +=
            fmt::format("threads meet in another way in each run, and {} of the trace on it and "
                        "a little more were all served; the least that ever was enough is {}, ",
                        counted(search.confirmations, "replay"), kib(search.least_fitting));
    text += fmt::format("found in {} of the trace; {} ", counted(search.tries, "replay"),
                        kib(search.too_small));
    return text + (search.tries == 1 ? "cannot be enough" : "is not enough");
}

std::string bound_text(const size_result& result) {
    std::string text =
        fmt::format("{} is enough for every order of the same requests, ", kib(result.found.bound));
    text += result.found.lanes == 0
                ? "if the peaks of the classes are reserved first: the pool's state + the granules "
                  "of all classes + the granules of runs (docs/sizing.md)"
                : "if each thread reserves its own peaks first: what the pool and its lanes keep + "
                  "the granules of all classes of all lanes + the granules of runs "
                  "(docs/replay.md)";
    return text;
}

std::vector<std::string> notes_on(const size_result& result) {
    std::vector<std::string> notes = notes_on(result.input);
    notes.emplace_back("The program's code, stacks and other memory that it locks come beside. "
                       "Another input or a longer run may need more: record the one that needs "
                       "most.");
    return notes;
}

} // namespace

std::string size_text(const size_result& result, const text_abilities& abilities) {
    std::string text;
    const auto line = [&text](std::string_view name, const std::string& value) {
        text += wrap(fmt::format("{:<10}", name), value);
    };
    for (const auto& [name, value] : describe_trace(result.input))
        line(name, value);
    text += "\n" + class_table(result, abilities);
    if (result.found.lanes != 0)
        line("lanes", grouped(result.found.lanes));
    text += emphasise(abilities, emphasis::strong,
                      wrap(fmt::format("{:<10}", "capacity"), search_text(result)));
    line("locked", kib(result.found.memlock) + " with the arena's bookkeeping");
    line("bound", bound_text(result));
    text += "\nLet the program lock that much, by the one line or the other:\n";
    text +=
        fmt::format("  {:<42}{}\n", "/etc/security/limits.d/99-realtime.conf", limits_line(result));
    text += fmt::format("  {:<42}{}\n\n", "[Service] of its systemd unit", unit_line(result));
    for (const std::string& note : notes_on(result))
        text += wrap("* ", note);
    return in_characters_of(abilities, text);
}

std::string size_json(const size_result& result) {
    json classes = json::array();
    for (const replay::class_peaks& row : result.classes) {
        json part = json::object();
        if (row.block_size != 0)
            part["block_bytes"] = row.block_size;
        else
            part["runs"] = true;
        part["blocks_at_peak"] = row.at_peak;
        part["bytes_at_peak"] = row.at_peak_bytes;
        part["peak_blocks"] = row.peak;
        part["peak_bytes"] = row.peak_bytes;
        classes.push_back(part);
    }
    const found_capacity& search = result.found.search;
    const json report{{"resident", fmt::format("{}.{}.{}", RESIDENT_VERSION_MAJOR,
                                               RESIDENT_VERSION_MINOR, RESIDENT_VERSION_PATCH)},
                      {"trace", trace_part(result.input)},
                      {"classes", classes},
                      {"lanes", result.found.lanes},
                      {"peak_in_use_bytes", result.peaks.peak_in_use},
                      {"capacity_bytes", search.capacity},
                      {"least_fitting_bytes", search.least_fitting},
                      {"too_small_bytes", search.too_small},
                      {"replays", search.tries},
                      {"confirmations", search.confirmations},
                      {"peak_held_bytes", search.peak_held},
                      {"memlock_bytes", result.found.memlock},
                      {"bound_bytes", result.found.bound},
                      {"limits_line", limits_line(result)},
                      {"systemd_line", unit_line(result)},
                      {"notes", notes_on(result)}};
    return report.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

} // namespace resident::tool
