#include "tool/report_html.hpp"

#include "resident/version.hpp"
#include "tool/conclusion.hpp"
#include "tool/quantities.hpp"

#include <fmt/format.h>

namespace resident::tool {
namespace {

constexpr std::string_view page_style = R"(
:root { color-scheme: light dark; --ink: #1c2733; --quiet: #5d6b78; --line: #d5dce3;
  --paper: #ffffff; --arena: #0a6b57; --tint: #e7f4f0; --bad: #a3341f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf2; --quiet: #a2aeb9; --line: #2d3843;
  --paper: #11171d; --arena: #4fc9ac; --tint: #14302a; --bad: #f08b74; } }
body { margin: 2.5rem auto; max-width: 62rem; padding: 0 1.25rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1rem; font-weight: 600; color: var(--quiet); margin: 0; }
.conclusion { font-size: 1.45rem; line-height: 1.35; margin: .4rem 0 2rem; text-wrap: pretty; }
h2 { font-size: 1.05rem; margin: 2.2rem 0 .6rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { font-weight: 600; font-size: .85rem; color: var(--quiet); text-align: right;
  vertical-align: bottom; }
th, td { padding: .38rem .55rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
td { text-align: right; }
th:first-child, td:first-child { text-align: left; padding-left: .6rem; }
td:first-child small { display: block; color: var(--quiet); white-space: normal; }
th.group, th.upper { text-align: center; border-bottom: 0; padding-bottom: 0; }
th.upper { text-align: right; }
tr.arena { background: var(--tint); }
tr.arena td:first-child { font-weight: 600; box-shadow: inset 3px 0 var(--arena); }
tr.arena td:first-child small { font-weight: 400; }
.faults { color: var(--bad); font-weight: 600; }
.none { color: var(--arena); font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.2rem; margin: 0; }
dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; }
svg { width: 100%; height: auto; }
li { margin: .3rem 0; }
footer { margin-top: 2.5rem; color: var(--quiet); font-size: .85rem; }
)";

constexpr std::string_view table_head =
    R"(<tr><th class="upper"></th><th class="group" colspan="2">page faults</th>
<th class="group" colspan="4">time for the work of a period</th><th class="upper">missed</th><th class="upper">locked</th></tr>
<tr><th>contestant</th><th>minor</th><th>major</th><th>p50</th><th>p99</th><th>p99.9</th>
<th>max</th><th>periods</th><th>memory</th></tr>
)";

constexpr std::string_view how_to_read =
    "<p>Each row does the same work on the same records, once a period, in a process of its own. "
    "A <em>minor</em> fault is a page that the kernel had to map; a <em>major</em> one had to come "
    "from disk. <em>Missed</em> periods began while the loop was late. <em>Locked</em> memory is "
    "the whole process's; what the empty loop has locked is the demo's own code, stack and "
    "records.</p>";

std::string escape(std::string_view text) {
    std::string escaped;
    for (const char character : text) {
        switch (character) {
        case '&':
            escaped += "&amp;";
            break;
        case '<':
            escaped += "&lt;";
            break;
        case '>':
            escaped += "&gt;";
            break;
        case '"':
            escaped += "&quot;";
            break;
        default:
            escaped += character;
        }
    }
    return escaped;
}

std::string fault_cell(std::uint64_t faults) {
    return fmt::format("<td class=\"{}\">{}</td>", faults == 0 ? "none" : "faults",
                       grouped(faults));
}

std::string table_row(const contest_result& row) {
    const std::string name = fmt::format("<tr{}><td>{}<small>{}</small></td>",
                                         row.who->is_arena ? " class=\"arena\"" : "",
                                         escape(row.who->name), escape(row.who->description));
    if (!row.measured)
        return name + "<td colspan=\"8\">not measured, see the notes</td></tr>\n";
    return fmt::format(
        "{}{}{}<td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>"
        "</tr>\n",
        name, fault_cell(row.minor_faults), fault_cell(row.major_faults),
        short_duration(row.work.percentile(0.5)), short_duration(row.work.percentile(0.99)),
        short_duration(row.work.percentile(0.999)), short_duration(row.work.largest()),
        grouped(row.missed_periods), short_size(row.locked_bytes));
}

std::string definitions(const std::vector<std::pair<std::string, std::string>>& facts) {
    std::string list = "<dl>\n";
    for (const auto& [name, value] : facts) {
        list += fmt::format("<dt>{}</dt><dd>{}</dd>\n", escape(name), escape(value));
    }
    return list + "</dl>\n";
}

std::string notes_section(const demo_result& result) {
    std::string items;
    for (const std::string& note : notes_on(result)) {
        items += fmt::format("<li>{}</li>\n", escape(note));
    }
    return items.empty() ? items : fmt::format("<h2>Notes</h2>\n<ul>\n{}</ul>\n", items);
}

} // namespace

std::string html_report(const demo_result& result, const picture& histogram) {
    std::string rows;
    for (const contest_result& row : result.contestants)
        rows += table_row(row);
    const std::string drawing =
        histogram.svg.empty()
            ? fmt::format("<p>No picture: {}.</p>\n", escape(histogram.failure))
            : fmt::format("<figure style=\"margin:0\">{}</figure>\n", histogram.svg);
    std::string page = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width\">\n"
                       "<title>resident demo</title>\n";
    page += fmt::format("<style>{}</style>\n</head>\n<body>\n", page_style);
    page += fmt::format("<h1>resident demo</h1>\n<p class=\"conclusion\">{}</p>\n",
                        escape(conclude(result)));
    page += fmt::format("<div class=\"scroll\"><table>\n<thead>{}</thead>\n<tbody>\n{}</tbody>\n"
                        "</table></div>\n{}\n",
                        table_head, rows, how_to_read);
    page += "<h2>How often a period's work took how long</h2>\n" + drawing;
    page += notes_section(result);
    page += "<h2>What was done</h2>\n" + definitions(conditions_of(result));
    page += "<h2>On this machine</h2>\n" + definitions(result.machine);
    page += fmt::format("<footer>resident {}.{}.{}, {}</footer>\n</body>\n</html>\n",
                        RESIDENT_VERSION_MAJOR, RESIDENT_VERSION_MINOR, RESIDENT_VERSION_PATCH,
                        result.started);
    return page;
}

} // namespace resident::tool
