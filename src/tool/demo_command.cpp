#include "tool/demo_command.hpp"

#include "os/harness/realtime_thread.hpp"
#include "tool/quantities.hpp"
#include "tool/quantity_option.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <charconv>
#include <chrono>
#include <stdexcept>
#include <string>

namespace resident::tool {
namespace {

using std::chrono::nanoseconds;

nanoseconds parse_interval(const std::string& text) {
    const nanoseconds interval = parse_duration(text);
    if (interval >= std::chrono::microseconds(50) && interval <= std::chrono::seconds(1)) {
        return interval;
    }
    throw std::invalid_argument(fmt::format("'{}' is not an interval from 50us to 1s", text));
}

void refuse_contradictions(const demo_options& options) {
    if (options.interval * 10 <= options.duration)
        return;
    throw CLI::ValidationError(
        fmt::format("--duration {} holds fewer than ten periods of --interval {}; make it longer",
                    exact_duration(options.duration), exact_duration(options.interval)));
}

int parse_priority(const std::string& text) {
    int priority = -1;
    const char* const end = text.data() + text.size();
    const auto [rest, failure] = std::from_chars(text.data(), end, priority);
    const bool whole = failure == std::errc() && rest == end;
    if (whole && priority >= 0 && priority <= os::highest_priority())
        return priority;
    throw std::invalid_argument(
        fmt::format("'{}' is not a priority from 0 to {}", text, os::highest_priority()));
}

// Descriptions are broken by hand: CLI11 does not, and they are read at 80 columns.

void add_loop_options(CLI::App& command, demo_options& options) {
    add_quantity(command, "-D,--duration", options.duration, "TIME",
                 "Time measured per contestant [6s]", parse_measured_time);
    add_quantity(command, "-i,--interval", options.interval, "TIME", "Period of the loop [1ms]",
                 parse_interval);
    add_quantity(command, "-p,--priority", options.priority, "NUMBER",
                 "SCHED_FIFO priority of the loop, 1 to 99;\n0: normal scheduling [80]",
                 parse_priority);
    command
        .add_option("--input", options.input,
                    "Records separated by blank lines\n[/var/lib/dpkg/status]")
        ->type_name("FILE");
    add_quantity(command, "--capacity", options.capacity, "SIZE",
                 "Of the arena; the number of records follows from it\n"
                 "[half of what may be locked, at most 64MiB]",
                 parse_capacity);
    command.add_flag_callback(
        "--no-pressure", [&options] { options.pressure = false; },
        "Without a memory hog beside the loop, even as root");
}

void add_report_options(CLI::App& command, demo_options& options) {
    command
        .add_option("--output", options.output,
                    "Folder for report.html, report.json and\nhistogram.svg [resident-demo]")
        ->type_name("FOLDER");
    command
        .add_option("--json", options.json,
                    "Write the JSON report here too;\n-: to standard output, and nothing else")
        ->type_name("FILE");
    command.add_flag("--histogram", options.histogram, "Print the counts behind the histogram too");
    command.add_flag("-q,--quiet", options.quiet, "No progress, no table: the conclusion alone");
}

} // namespace

nanoseconds parse_measured_time(const std::string& text) {
    const nanoseconds duration = parse_duration(text);
    if (duration >= std::chrono::milliseconds(10))
        return duration;
    throw std::invalid_argument(fmt::format("'{}' is too short to measure; at least 10ms", text));
}

CLI::App* add_demo_command(CLI::App& application, demo_options& options) {
    CLI::App* command = application.add_subcommand(
        "demo", "Measure containers in a periodic loop,\non malloc and on locked memory");
    command->footer(
        "Times and sizes have units: 10s, 500ms, 250us; 64MiB, 512KiB.\n"
        "As root there is pressure: a memory cgroup of its own, a hog in it, and where\n"
        "the machine has no swap a swap file, all removed at the end.\n"
        "Exit: 0 no fault on the arena, 1 a check failed, 2 the command line is wrong.");
    add_loop_options(*command, options);
    add_report_options(*command, options);
    command->parse_complete_callback([&options] { refuse_contradictions(options); });
    return command;
}

} // namespace resident::tool
