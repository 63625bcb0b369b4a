/// Histograms in the text format of HdrHistogram, which plotters of latencies read.
#pragma once

#include "tool/latency_histogram.hpp"

#include <string>
#include <string_view>

namespace resident::bench {

/// The percentile distribution as HdrHistogram's outputPercentileDistribution() prints it, with
/// five steps to each halving of the distance to 100 %. Values are nanoseconds; a line counts the
/// calls that took at most its value, which is told as the end of a bucket, never too small.
[[nodiscard]] std::string percentile_text(const tool::latency_histogram& histogram);

/// Effects: writes it to `folder`, in a file that is named after the operation and the contestant.
/// Returns: empty, or why not, naming the file; then what was there before still is.
[[nodiscard]] std::string write_percentiles(const std::string& folder, std::string_view operation,
                                            std::string_view contestant,
                                            const tool::latency_histogram& histogram);

} // namespace resident::bench
