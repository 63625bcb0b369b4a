#include "tool/report_svg.hpp"

#include "os/harness/child_process.hpp"
#include "os/harness/shared_memory.hpp"
#include "tool/quantities.hpp"
#include "tool/report_bars.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace resident::tool {
namespace {

constexpr std::size_t columns_per_decade = 16;
constexpr int width = 880;
constexpr int panel_height = 74;
constexpr int margin_top = 30;
constexpr int margin_bottom = 62;

// gnuplot writes colours into each element; these stand for the ones that the style decides on.
constexpr std::string_view ink = "#010203";
constexpr std::string_view quiet_ink = "#010204";
constexpr std::string_view bar_colour = "#010205";
constexpr std::string_view arena_colour = "#010206";

constexpr std::string_view style = R"css(<style>
svg { --ink: #1c2733; --quiet: #8894a0; --bar: #9a5b13; --arena: #0a6b57; --paper: #ffffff; }
@media (prefers-color-scheme: dark) {
svg { --ink: #e8edf2; --quiet: #7d8a97; --bar: #e0a458; --arena: #4fc9ac; --paper: #11171d; } }
text { font-family: system-ui, sans-serif; }
</style>
<rect width="100%" height="100%" fill="var(--paper)"/>
)css";

/// A tick for each decade; panels above the last have ticks without text.
std::string ticks(const time_axis& axis, bool labelled) {
    std::string list;
    for (int decade = 0; decade <= axis.decades; ++decade) {
        const double edge = std::pow(10, axis.first_decade + decade);
        const auto time = std::chrono::nanoseconds(std::llround(edge));
        list += fmt::format("{}'{}' {:g}", decade == 0 ? "" : ", ",
                            labelled ? exact_duration(time) : "", edge);
    }
    return list;
}

/// Name with a claim that the figures bear out: the faults are what the shapes come from.
std::string panel_label(const contest_result& row) {
    return fmt::format("{{/:Bold {}}}\\n{}\\nlongest {}", row.who->name,
                       counted(row.faults(), "page fault"), short_duration(row.work.largest()));
}

std::string data_block(const contest_result& row, const time_axis& axis, std::size_t index) {
    const std::size_t parts = columns_per_decade * static_cast<std::size_t>(axis.decades);
    const std::vector<std::uint64_t> counts = counts_along(row.work, axis, parts);
    std::string block = fmt::format("$row{} << END\n", index);
    for (std::size_t part = 0; part < parts; ++part) {
        if (counts[part] == 0)
            continue;
        block += fmt::format("{:.6g} {:.6g} {}\n", axis.edge(part, parts),
                             axis.edge(part + 1, parts), counts[part]);
    }
    return block + "END\n";
}

std::string common_settings(const demo_result& result, const time_axis& axis, int height) {
    const auto interval = static_cast<double>(result.options.interval.count());
    std::uint64_t most = 10;
    for (const contest_result& row : result.contestants)
        most = std::max(most, row.work.total());
    return fmt::format(
        R"(set terminal svg size {width},{height} dynamic enhanced font 'sans-serif,13'
set encoding utf8
set multiplot
set lmargin at screen 0.265
set rmargin at screen 0.965
set logscale xy
set xrange [0.999*{first:g}:1.001*{last:g}]
set yrange [0.7:{most}]
set border 1 linecolor rgb '{quiet}'
set xtics nomirror scale 0.5 textcolor rgb '{ink}'
set mxtics 10
set ytics nomirror scale 0 textcolor rgb '{quiet}' ('1' 1, '100' 100, '10 000' 10000)
set grid xtics ytics linecolor rgb '{quiet}' linewidth 0.4 dashtype 3
set style fill solid 0.85 noborder
set arrow 1 from {interval:g}, graph 0 to {interval:g}, graph 1 nohead linecolor rgb '{ink}' linewidth 1 dashtype 2
unset key
)",
        fmt::arg("width", width), fmt::arg("height", height), fmt::arg("first", axis.begin()),
        fmt::arg("last", axis.end()), fmt::arg("most", most), fmt::arg("quiet", quiet_ink),
        fmt::arg("ink", ink), fmt::arg("interval", interval));
}

std::string panel(const contest_result& row, const time_axis& axis, std::size_t index, bool last,
                  int height) {
    const double top = 1.0 - (margin_top + panel_height * static_cast<double>(index)) / height;
    const double bottom = top - (panel_height - 16.0) / height;
    std::string text = fmt::format("set tmargin at screen {:.4f}\nset bmargin at screen {:.4f}\n"
                                   "set xtics ({})\n",
                                   top, bottom, ticks(axis, last));
    if (last) {
        text += fmt::format("set xlabel 'time for the work of a period (logarithmic; dashed: one "
                            "period)' offset 0,0.2 textcolor rgb '{}'\n",
                            ink);
    }
    text += fmt::format("set label 1 \"{}\" at screen 0.012, graph 0.85 left textcolor rgb '{}'\n",
                        panel_label(row), ink);
    text +=
        fmt::format("plot $row{} using 1:(0.7):1:2:(0.7):3 with boxxyerror linecolor rgb '{}'\n",
                    index, row.who->is_arena ? arena_colour : bar_colour);
    return text;
}

std::string script_for(const demo_result& result) {
    std::vector<const contest_result*> rows;
    for (const contest_result& row : result.contestants) {
        if (row.measured && row.work.total() != 0)
            rows.push_back(&row);
    }
    const time_axis axis = axis_of(result);
    const int height = margin_top + margin_bottom + panel_height * static_cast<int>(rows.size());
    std::string script;
    for (std::size_t index = 0; index < rows.size(); ++index) {
        script += data_block(*rows[index], axis, index);
    }
    script += common_settings(result, axis, height);
    script += fmt::format("set label 2 'number of periods (logarithmic)' at screen 0.265, screen "
                          "{:.4f} left textcolor rgb '{}'\n",
                          1.0 - 14.0 / height, quiet_ink);
    for (std::size_t index = 0; index < rows.size(); ++index) {
        script += panel(*rows[index], axis, index, index + 1 == rows.size(), height);
        if (index == 0)
            script += "unset label 2\n";
    }
    return script + "unset multiplot\n";
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t place = text.find(from); place != std::string::npos;
         place = text.find(from, place + to.size())) {
        text.replace(place, from.size(), to);
    }
}

/// gnuplot writes a colour in one of two notations.
void replace_colour(std::string& svg, std::string_view placeholder, std::string_view variable) {
    unsigned red = 0, green = 0, blue = 0;
    std::sscanf(placeholder.data(), "#%2x%2x%2x", &red, &green, &blue);
    replace_all(svg, fmt::format("rgb({:3}, {:3}, {:3})", red, green, blue), variable);
    replace_all(svg, fmt::format("rgb({},{},{})", red, green, blue), variable);
}

std::string apply_style(std::string svg) {
    replace_all(svg, "<title>Gnuplot</title>", "<title>resident demo</title>");
    replace_colour(svg, ink, "var(--ink)");
    replace_colour(svg, quiet_ink, "var(--quiet)");
    replace_colour(svg, bar_colour, "var(--bar)");
    replace_colour(svg, arena_colour, "var(--arena)");
    const std::size_t root = svg.find("<svg");
    const std::size_t after = svg.find('>', root) + 1;
    return svg.substr(root, after - root) + "\n" + std::string(style) + svg.substr(after);
}

} // namespace

picture draw_histogram(const demo_result& result) {
    const std::string script = script_for(result);
    std::string reason;
    // The script goes through memory: nothing to name, nothing to clean up.
    const auto memory = os::shared_memory::create("script", script.size(), reason);
    if (!memory)
        return {{}, reason};
    std::memcpy(memory->data(), script.data(), script.size());
    auto gnuplot = os::child_process::start({.program = "gnuplot",
                                             .arguments = {"gnuplot", "/dev/fd/3"},
                                             .descriptors = {memory->descriptor()}},
                                            reason);
    if (!gnuplot)
        return {{}, "gnuplot is not installed (" + reason + ")"};
    const os::child_end end = gnuplot->wait();
    std::string output = gnuplot->output();
    const bool whole =
        output.find("<svg") != std::string::npos && output.find("</svg>") != std::string::npos;
    if (end.signal != 0 || end.exit_code != 0 || !whole) {
        return {{}, "gnuplot failed: " + output.substr(0, 300)};
    }
    return {apply_style(std::move(output)), {}};
}

} // namespace resident::tool
