#include "support/run_options.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace resident::bench {

namespace {

/// Google Benchmark answers to its own words, and explains them.
bool is_of_google_benchmark(std::string_view word) {
    return word.starts_with("--benchmark_") || word == "--v" || word.starts_with("--v=");
}

/// Or the program would notice when all is measured.
std::string in_a_folder_that_exists(const std::string& file) {
    const std::filesystem::path folder = std::filesystem::absolute(file).parent_path();
    return std::filesystem::is_directory(folder)
               ? ""
               : "There is no folder " + folder.string() + ": make it first";
}

} // namespace

run_options parse_command_line(int argc, char** argv, const char* description, other_words others,
                               const std::function<void(CLI::App&)>& add_own) {
    run_options options;
    options.others.push_back(argv[0]);
    std::vector<std::string> ours;
    for (int index = argc - 1; index > 0; --index) { // CLI11 takes them from the back
        if (others == other_words::kept && is_of_google_benchmark(argv[index])) {
            options.others.insert(options.others.begin() + 1, argv[index]);
        } else {
            ours.emplace_back(argv[index]);
        }
    }
    CLI::App application{description};
    application.set_help_flag("-h,--help", "Print this and leave");
    application.add_flag("--full", options.full, "Measure longer, and more");
    application.add_option("--json", options.json_file, "Write what was measured to this file")
        ->check(in_a_folder_that_exists);
    if (add_own) {
        add_own(application);
    }
    if (others == other_words::kept) {
        application.footer("Flags of Google Benchmark are understood, too: --benchmark_filter=...");
    }
    try {
        application.parse(ours);
    } catch (const CLI::ParseError& wrong) {
        std::exit(application.exit(wrong) == 0 ? 0 : 2);
    }
    return options;
}

} // namespace resident::bench
