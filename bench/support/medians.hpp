/// Keeps what Google Benchmark reports, for tables to be made of.
#pragma once

#include <benchmark/benchmark.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace resident::bench {

class medians final : public benchmark::BenchmarkReporter {
public:
    bool ReportContext(const Context& context) override;
    void ReportRuns(const std::vector<Run>& runs) override;

    /// Nanoseconds of one iteration, of processor time or by the benchmark's own clock; none if it
    /// was not measured.
    [[nodiscard]] std::optional<double> of(const std::string& benchmark) const;

private:
    std::map<std::string, double> nanoseconds_;
};

} // namespace resident::bench
