/// The command line of `resident demo`.
#pragma once

#include "tool/demo_options.hpp"

#include <CLI/App.hpp>

namespace resident::tool {

/// Adds the subcommand; parsing fills `options`, which must outlive it.
CLI::App* add_demo_command(CLI::App& application, demo_options& options);

} // namespace resident::tool
