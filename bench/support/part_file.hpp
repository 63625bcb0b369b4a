/// What a benchmark program tells the report: one JSON file, described in docs/report-format.md.
#pragma once

#include "support/run_options.hpp"
#include "tool/latency_histogram.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace resident::bench {

/// The text of a cell that the quick mode leaves out.
inline constexpr const char* left_to_full = "--full";

/// A figure of one contestant. Without `median` it is `text`: why there is none.
struct cell_record {
    std::string row{};
    std::string column{};
    std::optional<double> median{};
    std::vector<double> samples{}; ///< repetitions, the spread of which is shown; empty if exact
    std::string text{};
};

/// Which values of a table are the good ones.
enum class preference { less, more, neither };

struct table_record {
    std::string key{};
    std::string title{};
    std::string bias{}; ///< whom the measurement favours
    std::string unit{};
    preference better = preference::less;
    std::string compared_to{}; ///< a row that ratios are to; empty: none
    bool has_bars = false;     ///< worth a chart
    std::vector<cell_record> cells{};
};

/// Values in [begin, end).
struct value_bucket {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t count = 0;
};

struct series_record {
    std::string contestant{};
    std::vector<value_bucket> buckets{}; ///< ascending, none empty
    std::uint64_t total = 0;
    std::uint64_t largest = 0;
    std::optional<std::uint64_t> minor_faults{};
    std::optional<std::uint64_t> major_faults{};
};

/// How often which value was seen, for each contestant.
struct curve_record {
    std::string key{};
    std::string title{};
    std::string bias{};
    std::string unit{};
    std::vector<std::string> charts{}; ///< of "steps", "percentiles", "cumulative"
    std::vector<series_record> series{};
};

/// Who is there, and was not measured.
struct refused_contestant {
    std::string name{};
    std::string reason{};
    bool is_broken = false; ///< it did what no allocator may
};

/// Returns: a note for the terminal: the name, whether it is broken, and the reason.
[[nodiscard]] std::string note_of(const refused_contestant& refused);

struct part_record {
    std::string part{};
    std::string title{};
    std::string program{}; ///< what regenerates it, after "./dev bench"
    bool full = false;
    std::string not_measured{};                                     ///< why; empty if it was
    std::vector<std::pair<std::string, std::string>> contestants{}; ///< name and description
    std::vector<refused_contestant> refused{};
    std::vector<std::string> notes{};
    std::vector<table_record> tables{};
    std::vector<curve_record> curves{};
};

/// Ascending buckets of a histogram, none empty.
[[nodiscard]] std::vector<value_bucket> buckets_of(const tool::latency_histogram& histogram);

/// When a program began: the file tells how long it took.
class part_writer {
public:
    part_writer();

    /// Effects: adds the machine, the noise of its clock, and the contestants that were not found;
    /// writes the file, or leaves the old one. Throws: std::runtime_error, which names the file.
    void write(const part_record& part, const std::string& path) const;

    /// The same where the command line asks for it, as the end of a program. Returns: the status to
    /// exit with, 1 if the file could not be written or a contestant is broken, which is told on
    /// standard error.
    [[nodiscard]] int finish(const part_record& part, const run_options& options) const;

private:
    std::string began_{};
    std::int64_t began_at_;
};

} // namespace resident::bench
