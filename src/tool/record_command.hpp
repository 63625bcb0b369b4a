/// The command line of `resident record`.
#pragma once

#include "tool/record_options.hpp"

#include <CLI/App.hpp>

namespace resident::tool {

/// Takes the recorded program and its arguments, if it is `resident record` that is asked for, from
/// the end of the command line into `options`: behind "--", or from the first word on that is no
/// option. They are the program's, whatever they look like. Returns: how many arguments are left.
int take_recorded_command(int count, char** arguments, record_options& options);

/// Adds the subcommand; parsing fills `options`, which must outlive it.
CLI::App* add_record_command(CLI::App& application, record_options& options);

} // namespace resident::tool
