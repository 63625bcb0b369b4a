#include "tool/report_text.hpp"

#include "tool/conclusion.hpp"
#include "tool/quantities.hpp"
#include "tool/report_bars.hpp"

#include <fmt/format.h>

#include <cmath>

namespace resident::tool {
namespace {

std::string heading(const text_abilities& abilities, std::string_view text) {
    return emphasise(abilities, emphasis::strong, text) + "\n";
}

std::string conditions_part(const demo_result& result) {
    std::string text;
    for (const auto& [name, value] : conditions_of(result)) {
        text += wrap(fmt::format("{:<10}", name), value);
    }
    return text + "\n";
}

std::string fault_cells(const contest_result& row, const text_abilities& abilities) {
    const emphasis how = row.faults() == 0 ? emphasis::good : emphasis::bad;
    return emphasise(
        abilities, how,
        fmt::format("{:>7}{:>7}", grouped(row.minor_faults), grouped(row.major_faults)));
}

std::string table_row(const contest_result& row, const text_abilities& abilities) {
    const emphasis how = row.who->is_arena ? emphasis::strong : emphasis::none;
    const std::string name = emphasise(abilities, how, fmt::format("{:<21}", row.who->name));
    if (!row.measured)
        return fmt::format("{}  not measured: see the note below\n", name);
    return fmt::format(
        "{}{}{:>7}{:>7}{:>7}{:>7}{:>8}{:>8.1f}\n", name, fault_cells(row, abilities),
        short_duration(row.work.percentile(0.5)), short_duration(row.work.percentile(0.99)),
        short_duration(row.work.percentile(0.999)), short_duration(row.work.largest()),
        grouped(row.missed_periods), static_cast<double>(row.locked_bytes) / (1 << 20));
}

std::string table_part(const demo_result& result, const text_abilities& abilities) {
    std::string text;
    text += heading(abilities, fmt::format("{:21}{:>14}{:>28}{:>8}{:>8}", "", "page faults",
                                           "time for a period's work", "missed", "locked"));
    text += heading(abilities,
                    fmt::format("{:21}{:>7}{:>7}{:>7}{:>7}{:>7}{:>7}{:>8}{:>8}", "contestant",
                                "minor", "major", "p50", "p99", "p99.9", "max", "periods", "MiB"));
    for (const contest_result& row : result.contestants)
        text += table_row(row, abilities);
    return text + "\n";
}

std::string notes_part(const demo_result& result) {
    std::string text;
    for (const std::string& note : notes_on(result))
        text += wrap("* ", note);
    return text.empty() ? text : text + "\n";
}

/// Edges in steps of 1, 2, 5, from the decade of the shortest time.
double next_edge(double edge) {
    const double first_digit = edge / std::pow(10, std::floor(std::log10(edge) + 1e-9));
    return edge * (first_digit > 1.5 && first_digit < 3 ? 2.5 : 2);
}

} // namespace

std::string text_report(const demo_result& result, const text_abilities& abilities) {
    return in_characters_of(abilities, conditions_part(result) + table_part(result, abilities) +
                                           text_bars(result, abilities) + notes_part(result));
}

std::string text_counts(const demo_result& result) {
    const time_axis axis = axis_of(result);
    constexpr std::size_t width = (80 - 9) / 9; // of a column; there are at most nine rows
    std::string text = "periods by the time of their work\n";
    std::string header = fmt::format("{:>9}", "from");
    char letter = 'A';
    for (const contest_result& row : result.contestants) {
        if (!row.measured)
            continue;
        text += fmt::format("  {}  {}\n", letter, row.who->name);
        header += fmt::format("{:>{}}", letter++, width);
    }
    text += header + "\n";
    for (double edge = axis.begin(); edge < axis.end(); edge = next_edge(edge)) {
        std::string line =
            fmt::format("{:>9}", exact_duration(std::chrono::nanoseconds(std::llround(edge))));
        for (const contest_result& row : result.contestants) {
            if (!row.measured)
                continue;
            line += fmt::format("{:>{}}", row.work.between(edge, next_edge(edge)), width);
        }
        text += line + "\n";
    }
    return text + "\n";
}

} // namespace resident::tool
