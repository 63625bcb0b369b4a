/// The command line that all benchmark programs have in common.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace resident::bench {

struct run_options {
    bool full = false;         ///< the long mode
    std::string json_file;     ///< where the report reads what was measured; empty: nowhere
    std::vector<char*> others; ///< the program's name, and words for Google Benchmark
};

/// Whether words that are not in run_options are left for Google Benchmark, or are an error.
enum class other_words { refused, kept };

/// Ends the program, with what is wrong or the help that was asked for. `description` is what the
/// program measures, in a line; `add_own` adds its own options.
run_options parse_command_line(int argc, char** argv, const char* description,
                               other_words others = other_words::refused,
                               const std::function<void(CLI::App&)>& add_own = {});

} // namespace resident::bench
