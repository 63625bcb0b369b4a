// The resident command: which part of it is wanted.
#include "resident/version.hpp"
#include "tool/contest_child.hpp"
#include "tool/demo.hpp"
#include "tool/demo_command.hpp"
#include "tool/exit_code.hpp"
#include "tool/record.hpp"
#include "tool/record_command.hpp"
#include "tool/replay.hpp"
#include "tool/replay_child.hpp"
#include "tool/replay_command.hpp"
#include "tool/size.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <vector>

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

/// One word of the command line, and what it does.
struct subcommand {
    CLI::App* words;
    std::function<int()> run;
};

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
    demo_options demo;
    record_options record;
    replay_options replay;
    size_options size;
    const auto hidden = [&application](const char* name) {
        return application.add_subcommand(name)->group("");
    };
    const std::vector<subcommand> subcommands{
        {add_demo_command(application, demo), [&] { return run_demo(demo); }},
        {add_record_command(application, record),
         [&] { return record.overhead ? run_record_overhead(record) : run_record(record); }},
        {add_replay_command(application, replay), [&] { return run_replay(replay); }},
        {add_size_command(application, size), [&] { return run_size(size); }},
        // What the others run their children with; no promise to anyone else.
        {hidden("contest-child"), run_contest_child},
        {hidden("hog-child"), run_hog_child},
        {hidden("malloc-child"), run_malloc_child},
        {hidden("replay-child"), run_replay_child},
    };
    try {
        application.parse(take_recorded_command(count, arguments, record), arguments);
    } catch (const CLI::ParseError& what) {
        return answer(application, what);
    }
    for (const subcommand& each : subcommands) {
        if (each.words->parsed())
            return each.run();
    }
    return exit_usage;
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
