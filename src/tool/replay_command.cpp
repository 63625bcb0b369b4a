#include "tool/replay_command.hpp"

#include "tool/quantity_option.hpp"
#include "tool/replay_contestants.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace resident::tool {
namespace {

void add_json_option(CLI::App& command, std::optional<std::string>& json) {
    command
        .add_option("--json", json,
                    "Write the report as JSON here too;\n-: to standard output, and nothing else")
        ->type_name("FILE");
}

void add_contestant(replay_options& options, const std::string& name) {
    if (find_replay_contestant(name) == nullptr) {
        throw CLI::ValidationError(
            "--contestant", fmt::format("'{}' is none of {}", name, replay_contestant_names()));
    }
    if (std::find(options.contestants.begin(), options.contestants.end(), name) ==
        options.contestants.end())
        options.contestants.push_back(name);
}

std::string contestants_text() {
    std::string text = "Contestants:\n";
    for (const replay_contestant& each : all_replay_contestants())
        text += fmt::format("  {:<12}{}\n", each.name, each.description);
    return text;
}

} // namespace

void add_replay_words(CLI::App& command, replay_options& options) {
    command.add_option("TRACE", options.file, "Trace that resident record wrote")
        ->type_name(" ")
        ->required();
    command
        .add_option_function<std::vector<std::string>>(
            "-c,--contestant",
            [&options](const std::vector<std::string>& names) {
                for (const std::string& name : names)
                    add_contestant(options, name);
            },
            "Run this one, and others that are named\nlikewise [all]")
        ->type_name("NAME")
        ->type_size(1)
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    add_quantity(command, "--capacity", options.capacity, "SIZE",
                 "Of the arena [what fits, found by replay]", parse_capacity);
    add_quantity(command, "-r,--repetitions", options.repetitions, "NUMBER",
                 "Timed replays of each contestant [5]",
                 [](const std::string& text) { return parse_count(text, 1, 1000); });
    add_quantity(command, "--samples", options.samples, "NUMBER",
                 "Calls to allocate, and to free, whose\ninstructions are counted; 0: none [1000]",
                 [](const std::string& text) { return parse_count(text, 0, 1'000'000); });
    command.add_flag_callback(
        "--unlocked", [&options] { options.lock = false; }, "The arena is not locked");
    command.add_flag_callback(
        "--no-verify", [&options] { options.verify = false; },
        "Without the pass that checks every block");
    add_json_option(command, options.json);
    command.add_flag("-q,--quiet", options.quiet, "No progress on standard error");
    command.footer(contestants_text() +
                   "\nExit: 0 all is well, 1 a contestant is broken or the trace does not fit,\n"
                   "2 the command line or the trace is wrong.");
}

CLI::App* add_replay_command(CLI::App& application, replay_options& options) {
    CLI::App* command = application.add_subcommand(
        "replay", "Run a recorded trace on our pool and on its\nrivals: time, faults, memory");
    add_replay_words(*command, options);
    return command;
}

CLI::App* add_size_command(CLI::App& application, size_options& options) {
    CLI::App* command =
        application.add_subcommand("size", "Tell from a recorded trace how much to lock");
    command->add_option("TRACE", options.file, "Trace that resident record wrote")
        ->type_name(" ")
        ->required();
    add_quantity(*command, "--tries", options.tries, "NUMBER",
                 "Replays of the search at most; fewer find\na larger capacity [24]",
                 [](const std::string& text) { return parse_count(text, 1, 64); });
    add_json_option(*command, options.json);
    command->add_flag("-q,--quiet", options.quiet, "No progress on standard error");
    command->footer("Exit: 0 a capacity was found, 1 none was,\n"
                    "2 the command line or the trace is wrong.");
    return command;
}

} // namespace resident::tool
