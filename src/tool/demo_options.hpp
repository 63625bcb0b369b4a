/// What `resident demo` is asked to do.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace resident::tool {

struct demo_options {
    std::chrono::nanoseconds duration = std::chrono::seconds(6); ///< measured, per contestant
    std::chrono::nanoseconds interval = std::chrono::milliseconds(1);
    int priority = 80; ///< SCHED_FIFO; 0: normal scheduling
    std::string input = "/var/lib/dpkg/status";
    std::size_t capacity = 0; ///< of the arena, bytes; 0: as much as fits, at most 64 MiB
    std::string output = "resident-demo"; ///< folder of the report's files
    std::optional<std::string> json; ///< file for the JSON report as well; "-": standard output
    std::vector<std::string_view> contestants{}; ///< by name; empty: all
    bool pressure = true;                        ///< where the machine allows it
    bool histogram = false; ///< the terminal's histogram with numbers, one line a bucket
    bool quiet = false;
};

} // namespace resident::tool
