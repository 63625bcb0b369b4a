// The resident command: which part of it is wanted.
#include "resident/version.hpp"
#include "tool/contest_child.hpp"
#include "tool/demo.hpp"
#include "tool/demo_command.hpp"
#include "tool/exit_code.hpp"

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
int answer(const CLI::App& application, const CLI::App& demo, const CLI::ParseError& what) {
    if (what.get_exit_code() == 0)
        return application.exit(what);
    fmt::print(stderr, "resident: {}\nTry: resident {}--help\n", what.what(),
               demo.parsed() ? "demo " : "");
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
    // What the demo runs its children with; no promise to anyone else.
    CLI::App* contest = application.add_subcommand("contest-child")->group("");
    CLI::App* hog = application.add_subcommand("hog-child")->group("");
    try {
        application.parse(count, arguments);
    } catch (const CLI::ParseError& what) {
        return answer(application, *demo, what);
    }
    if (contest->parsed())
        return run_contest_child();
    if (hog->parsed())
        return run_hog_child();
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
