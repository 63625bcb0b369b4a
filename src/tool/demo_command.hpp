/// The command line of `resident demo`.
#pragma once

#include "tool/demo_options.hpp"

#include <CLI/App.hpp>

#include <chrono>
#include <string>

namespace resident::tool {

/// Adds the subcommand; parsing fills `options`, which must outlive it.
CLI::App* add_demo_command(CLI::App& application, demo_options& options);

/// Reads a duration that is long enough to measure in.
/// Throws: std::invalid_argument that names the text and a remedy.
[[nodiscard]] std::chrono::nanoseconds parse_measured_time(const std::string& text);

} // namespace resident::tool
