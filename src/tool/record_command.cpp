#include "tool/record_command.hpp"

#include <CLI/CLI.hpp>

#include <string_view>

namespace resident::tool {

int take_recorded_command(int count, char** arguments, record_options& options) {
    if (count < 2 || std::string_view(arguments[1]) != "record")
        return count;
    int at = 2;
    for (; at < count; ++at) {
        const std::string_view word = arguments[at];
        if (word == "-o" || word == "--output")
            ++at; // and its value
        else if (word == "--" || !word.starts_with('-'))
            break;
    }
    if (at >= count)
        return count;
    const int first = std::string_view(arguments[at]) == "--" ? at + 1 : at;
    options.command.assign(arguments + first, arguments + count);
    return at;
}

CLI::App* add_record_command(CLI::App& application, record_options& options) {
    CLI::App* command = application.add_subcommand(
        "record", "Run a program and write all that it allocates\ninto a trace");
    command->footer("The program runs as it is: with its terminal, its signals and its exit code.\n"
                    "Each process and each program that it starts gets a trace of its own:\n"
                    "FILE.PROCESS, and FILE.PROCESS.2 and so on for what that goes on as (exec).\n"
                    "Nothing is buffered: what was recorded before a crash is in the file.\n"
                    "Exit: that of the program; 1 if it is 0 and not all is recorded, 2 the\n"
                    "command line is wrong; 128 and the signal if one ended the program.");
    command->add_option("-o,--output", options.output, "Where the trace goes [resident.trace]")
        ->type_name("FILE");
    command->add_flag("-q,--quiet", options.quiet, "No summary; only what is wrong");
    command->add_flag("--overhead", options.overhead,
                      "Measure what recording costs a call, on this\nmachine; no program is given");
    command->parse_complete_callback([&options] {
        if (options.command.empty() && !options.overhead)
            throw CLI::ValidationError("name the program to record: resident record -- ls -l");
        if (!options.command.empty() && options.overhead)
            throw CLI::ValidationError("--overhead measures a program of its own; name none");
        if (options.output.empty())
            throw CLI::ValidationError("--output: the path is empty; name a file");
    });
    return command;
}

} // namespace resident::tool
