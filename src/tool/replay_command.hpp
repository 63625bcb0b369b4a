/// The command lines of `resident replay` and `resident size`.
#pragma once

#include "tool/replay_options.hpp"

namespace CLI {
class App;
}

namespace resident::tool {

/// Effects: adds the subcommand, which fills `options` when it is parsed. Returns: it.
CLI::App* add_replay_command(CLI::App& application, replay_options& options);
/// The words of it alone: for a program that does nothing else, and has contestants of its own.
void add_replay_words(CLI::App& command, replay_options& options);
CLI::App* add_size_command(CLI::App& application, size_options& options);

} // namespace resident::tool
