#include "tool/demo.hpp"

#include "os/harness/terminal.hpp"
#include "os/harness/termination_signals.hpp"
#include "tool/conclusion.hpp"
#include "tool/contest.hpp"
#include "tool/demo_measurement.hpp"
#include "tool/demo_setup.hpp"
#include "tool/exit_code.hpp"
#include "tool/progress_line.hpp"
#include "tool/records.hpp"
#include "tool/report_files.hpp"
#include "tool/report_json.hpp"
#include "tool/report_text.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <string>

namespace resident::tool {
namespace {

void complain(std::string_view what) { fmt::print(stderr, "resident demo: {}\n", what); }

/// What goes to standard output. The conclusion comes last: it is what one reads first.
std::string output_text(const demo_result& result, const report_files& files) {
    const demo_options& options = result.options;
    if (options.json == "-")
        return json_report(result);
    const text_abilities abilities = abilities_of_output();
    std::string text;
    if (!options.quiet)
        text += text_report(result, abilities);
    if (options.histogram)
        text += text_counts(result);
    text += in_characters_of(abilities,
                             emphasise(abilities, emphasis::strong, wrap("", conclude(result))));
    if (!options.quiet) {
        text += fmt::format("\nreport: {}/report.html (beside it report.json, histogram.svg)\n",
                            files.folder());
    }
    return text;
}

int report(const demo_result& result, report_files& files) {
    const std::string failures = files.write(result);
    if (!failures.empty())
        complain(std::string_view(failures).substr(0, failures.size() - 1));
    for (const contest_result* row : result.arena_rows()) {
        if (!row->measured) {
            complain(row->reason);
            break; // the others most likely say the same
        }
    }
    const std::string refused = os::write_output(output_text(result, files));
    if (!refused.empty())
        complain("standard output takes no more: " + refused);
    const bool written = refused.empty() && files.complete();
    return result.holds() && written ? exit_success : exit_check_failed;
}

} // namespace

int run_demo(const demo_options& options) {
    int signal = 0;
    try {
        os::termination_signals signals;
        const demo_setup setup = set_up(options);
        report_files files(options);
        progress_line progress("resident demo", options.quiet);
        const demo_result result = measure(options, setup, signals, progress, complain);
        return report(result, files);
    } catch (const usage_error& what) {
        complain(what.what());
        return exit_usage;
    } catch (const input_error& what) {
        complain(what.what());
        return exit_usage;
    } catch (const interrupted& what) {
        signal = what.signal;
    }
    complain("stopped; the machine is as it was before, no report was written");
    os::termination_signals::end_by(signal);
}

} // namespace resident::tool
