/// The command line of `resident record`.
#pragma once

#include "tool/record_options.hpp"

#include <CLI/App.hpp>

namespace resident::tool {

/// Adds the subcommand; parsing fills `options`, which must outlive it.
CLI::App* add_record_command(CLI::App& application, record_options& options);

} // namespace resident::tool
