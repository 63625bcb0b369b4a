// The resident command: which part of it is wanted.
#include "resident/version.hpp"
#include "tool/contest_child.hpp"
#include "tool/demo.hpp"
#include "tool/demo_command.hpp"
#include "tool/exit_code.hpp"
#include "tool/record.hpp"
#include "tool/record_command.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <cstdio>
#include <exception>
#include <string>

namespace resident::tool {
namespace {

std::string version_text() {
    return fmt::format("resident {}.{}.{}", RESIDENT_VERSION_MAJOR, RESIDENT_VERSION_MINOR,
                       RESIDENT_VERSION_PATCH);
}

constexpr const char* description =
    "Locked, prefaulted, resident memory for programs that must not wait.";
constexpr const char* closing =
    "Begin with: resident demo\n"
    "Exit: 0 all is well, 1 a check failed, 2 the command line is wrong.";

/// Explains on stderr what is wrong; answers of --help and --version go to stdout.
int answer(const CLI::App& application, const CLI::ParseError& what) {
    if (what.get_exit_code() == 0)
        return application.exit(what);
    const auto parsed = application.get_subcommands();
    fmt::print(stderr, "resident: {}\nTry: resident {}--help\n", what.what(),
               parsed.empty() ? "" : parsed.front()->get_name() + " ");
    return exit_usage;
}

int run_command(int count, char** arguments) {
    CLI::App application(description);
    application.name("resident");
    application.footer(closing);
    application.set_version_flag("--version", version_text(), "Print the version and leave");
    application.set_help_flag("-h,--help", "Print this and leave");
    application.get_formatter()->column_width(25);
    application.require_subcommand(1);
    demo_options options;
    CLI::App* demo = add_demo_command(application, options);
    record_options recorded;
    CLI::App* record = add_record_command(application, recorded);
    // What the commands run their children with; no promise to anyone else.
    CLI::App* contest = application.add_subcommand("contest-child")->group("");
    CLI::App* hog = application.add_subcommand("hog-child")->group("");
    CLI::App* malloc_child = application.add_subcommand("malloc-child")->group("");
    try {
        application.parse(take_recorded_command(count, arguments, recorded), arguments);
    } catch (const CLI::ParseError& what) {
        return answer(application, what);
    }
    if (contest->parsed())
        return run_contest_child();
    if (hog->parsed())
        return run_hog_child();
    if (malloc_child->parsed())
        return run_malloc_child();
    if (record->parsed())
        return recorded.overhead ? run_record_overhead(recorded) : run_record(recorded);
    return demo->parsed() ? run_demo(options) : exit_usage;
}

} // namespace
} // namespace resident::tool

int main(int count, char** arguments) {
    try {
        return resident::tool::run_command(count, arguments);
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "resident: %s\n", failure.what());
        return resident::tool::exit_check_failed;
    }
}
