/// Keeps what Google Benchmark reports, for tables to be made of.
#pragma once

#include <benchmark/benchmark.h>

#include <map>
#include <string>
#include <vector>

namespace resident::bench {

/// Nanoseconds of one iteration, of processor time or by the benchmark's own clock: a sample for
/// each repetition.
class measurements final : public benchmark::BenchmarkReporter {
public:
    bool ReportContext(const Context& context) override;
    void ReportRuns(const std::vector<Run>& runs) override;

    /// Empty if the benchmark was not measured.
    [[nodiscard]] std::vector<double> of(const std::string& benchmark) const;

    /// As text, and the samples of such text: the way from one process to another.
    [[nodiscard]] std::string text() const;
    void add_text(const std::string& text);

private:
    std::map<std::string, std::vector<double>> nanoseconds_;
};

} // namespace resident::bench
