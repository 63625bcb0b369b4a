#include "support/medians.hpp"

#include <cstdio>

namespace resident::bench {

bool medians::ReportContext(const Context&) { return true; }

void medians::ReportRuns(const std::vector<Run>& runs) {
    for (const Run& run : runs) {
        if (run.error_occurred) {
            std::fprintf(stderr, "%s: %s\n", run.benchmark_name().c_str(),
                         run.error_message.c_str());
            continue;
        }
        // Repetitions come with their aggregates; a single one comes alone.
        if (run.run_type == Run::RT_Iteration ? run.repetitions <= 1
                                              : run.aggregate_name == "median") {
            nanoseconds_[run.run_name.function_name] = run.run_name.time_type == "manual_time"
                                                           ? run.GetAdjustedRealTime()
                                                           : run.GetAdjustedCPUTime();
        }
    }
}

std::optional<double> medians::of(const std::string& benchmark) const {
    const auto found = nanoseconds_.find(benchmark);
    return found == nanoseconds_.end() ? std::nullopt : std::optional{found->second};
}

} // namespace resident::bench
