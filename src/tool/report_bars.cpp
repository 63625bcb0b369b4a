#include "tool/report_bars.hpp"

#include "tool/quantities.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace resident::tool {
namespace {

constexpr std::size_t label_width = 22;
constexpr std::size_t bar_columns = 52; // leaves the last label of the axis five
constexpr std::size_t levels_per_line = 8;
constexpr std::size_t lines_per_row = 2;

constexpr std::array<std::string_view, levels_per_line + 1> blocks{" ", "▁", "▂", "▃", "▄",
                                                                   "▅", "▆", "▇", "█"};

/// Height of a bar, logarithmic: a single period must be seen beside thousands.
std::size_t level_of(std::uint64_t count, std::uint64_t largest) {
    if (count == 0)
        return 0;
    constexpr double top = lines_per_row * levels_per_line - 1;
    const double share =
        largest > 1 ? std::log(static_cast<double>(count)) / std::log(static_cast<double>(largest))
                    : 1;
    return 1 + static_cast<std::size_t>(share * top);
}

/// The part of the axis that the loop's period falls in.
std::size_t column_of(double nanoseconds, const time_axis& axis, std::size_t columns) {
    const double share = (std::log10(nanoseconds) - axis.first_decade) / axis.decades;
    return static_cast<std::size_t>(share * static_cast<double>(columns));
}

std::string bar_line(const std::vector<std::uint64_t>& counts, std::uint64_t largest,
                     std::size_t lines_below, std::size_t marked_column) {
    std::string line;
    for (std::size_t column = 0; column < counts.size(); ++column) {
        const std::size_t level = level_of(counts[column], largest);
        const std::size_t below = lines_below * levels_per_line;
        const std::size_t here = std::min(level - std::min(level, below), levels_per_line);
        line += here == 0 && column == marked_column ? "┊" : blocks[here];
    }
    return line.substr(0, line.find_last_not_of(' ') + 1);
}

std::string axis_lines(const time_axis& axis, std::size_t columns) {
    const std::size_t step = columns / static_cast<std::size_t>(axis.decades);
    std::string ticks(label_width, ' ');
    std::string labels(label_width, ' ');
    for (int decade = 0; decade < axis.decades; ++decade) {
        ticks += decade == 0 ? "└" : "┴";
        for (std::size_t column = 1; column < step; ++column)
            ticks += "─";
    }
    ticks += "┴";
    for (int decade = 0; decade <= axis.decades; ++decade) {
        const auto time = std::llround(std::pow(10, axis.first_decade + decade));
        labels += fmt::format("{:<{}}", exact_duration(std::chrono::nanoseconds(time)),
                              decade == axis.decades ? 0 : step);
    }
    return ticks + "\n" + labels + "\n";
}

std::uint64_t largest_count(const demo_result& result, const time_axis& axis, std::size_t columns) {
    std::uint64_t largest = 1;
    for (const contest_result& row : result.contestants) {
        for (const std::uint64_t count : counts_along(row.work, axis, columns)) {
            largest = std::max(largest, count);
        }
    }
    return largest;
}

} // namespace

double time_axis::begin() const { return std::pow(10, first_decade); }
double time_axis::end() const { return std::pow(10, first_decade + decades); }
double time_axis::edge(std::size_t index, std::size_t parts) const {
    return std::pow(10, first_decade + static_cast<double>(decades) * static_cast<double>(index) /
                                           static_cast<double>(parts));
}

time_axis axis_of(const demo_result& result) {
    double shortest = 1e18;
    double longest = 1;
    for (const contest_result& row : result.contestants) {
        if (row.work.total() == 0)
            continue;
        shortest = std::min(shortest, static_cast<double>(row.work.percentile(0)));
        longest = std::max(longest, static_cast<double>(row.work.largest()));
    }
    if (longest == 1)
        return {};
    const int first = static_cast<int>(std::floor(std::log10(std::max(shortest, 1.0))));
    const int last = static_cast<int>(std::floor(std::log10(longest))) + 1;
    return {first, last - first};
}

std::vector<std::uint64_t> counts_along(const latency_histogram& work, const time_axis& axis,
                                        std::size_t parts) {
    std::vector<std::uint64_t> counts;
    for (std::size_t part = 0; part < parts; ++part) {
        counts.push_back(work.between(axis.edge(part, parts), axis.edge(part + 1, parts)));
    }
    return counts;
}

std::string text_bars(const demo_result& result, const text_abilities& abilities) {
    const time_axis axis = axis_of(result);
    const auto decades = static_cast<std::size_t>(axis.decades);
    const std::size_t columns = bar_columns / decades * decades;
    const std::uint64_t largest = largest_count(result, axis, columns);
    const auto interval = static_cast<double>(result.options.interval.count());
    const std::size_t marked = column_of(interval, axis, columns);
    std::string text =
        emphasise(abilities, emphasis::strong, "how often a period's work took how long") +
        fmt::format(" (both logarithmic; ┊ one period, {})\n",
                    exact_duration(result.options.interval));
    for (const contest_result& row : result.contestants) {
        if (!row.measured)
            continue;
        const std::vector<std::uint64_t> counts = counts_along(row.work, axis, columns);
        const emphasis how = row.who->is_arena ? emphasis::strong : emphasis::none;
        text += emphasise(abilities, how, fmt::format("{:<{}}", row.who->name, label_width)) +
                bar_line(counts, largest, 1, marked) + "\n";
        const std::string faults = "  " + counted(row.faults(), "fault");
        text += fmt::format("{:<{}}", faults, label_width) + bar_line(counts, largest, 0, marked) +
                "\n";
    }
    return text + axis_lines(axis, columns) + "\n";
}

} // namespace resident::tool
