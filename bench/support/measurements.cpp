#include "support/measurements.hpp"

#include <cstdio>
#include <limits>
#include <sstream>

namespace resident::bench {

bool measurements::ReportContext(const Context&) { return true; }

void measurements::ReportRuns(const std::vector<Run>& runs) {
    for (const Run& run : runs) {
        if (run.error_occurred) {
            std::fprintf(stderr, "%s: %s\n", run.benchmark_name().c_str(),
                         run.error_message.c_str());
        } else if (run.run_type == Run::RT_Iteration) { // not a mean or median of them
            nanoseconds_[run.run_name.function_name].push_back(
                run.run_name.time_type == "manual_time" ? run.GetAdjustedRealTime()
                                                        : run.GetAdjustedCPUTime());
        }
    }
}

std::vector<double> measurements::of(const std::string& benchmark) const {
    const auto found = nanoseconds_.find(benchmark);
    return found == nanoseconds_.end() ? std::vector<double>{} : found->second;
}

std::string measurements::text() const {
    std::ostringstream text;
    text.precision(std::numeric_limits<double>::max_digits10);
    for (const auto& [name, samples] : nanoseconds_) {
        for (const double sample : samples) {
            text << sample << ' ' << name << '\n';
        }
    }
    return text.str();
}

void measurements::add_text(const std::string& text) {
    std::istringstream lines{text};
    double sample = 0;
    for (std::string name; lines >> sample && std::getline(lines.ignore(), name);) {
        nanoseconds_[name].push_back(sample);
    }
}

} // namespace resident::bench
