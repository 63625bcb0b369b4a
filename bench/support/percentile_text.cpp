#include "support/percentile_text.hpp"

#include "os/harness/output_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace resident::bench {

namespace {

using tool::latency_histogram;

constexpr double steps_to_each_halving = 5;

/// The largest value that counts in a bucket.
std::uint64_t end_of(std::size_t bucket, const latency_histogram& histogram) {
    const bool last = bucket + 1 == latency_histogram::bucket_count;
    return last ? histogram.largest()
                : std::min(latency_histogram::begin_of(bucket + 1) - 1, histogram.largest());
}

struct moments {
    double mean = 0;
    double deviation = 0;
};

/// Of the middles of the buckets.
moments moments_of(const latency_histogram& histogram) {
    double sum = 0;
    double squares = 0;
    for (std::size_t bucket = 0; bucket != latency_histogram::bucket_count; ++bucket) {
        const auto count = static_cast<double>(histogram.count_in(bucket));
        const double middle = (static_cast<double>(latency_histogram::begin_of(bucket)) +
                               static_cast<double>(end_of(bucket, histogram))) /
                              2;
        if (count != 0) {
            sum += count * middle;
            squares += count * middle * middle;
        }
    }
    const double total = std::max<double>(1, static_cast<double>(histogram.total()));
    const double mean = sum / total;
    return {mean, std::sqrt(std::max(0.0, squares / total - mean * mean))};
}

/// The next share to print: the steps are halved with each halving of what is left to 1.
double share_after(double share) {
    const double halvings = std::floor(std::log2(1 / (1 - share))) + 1;
    return share + 1 / (steps_to_each_halving * std::exp2(halvings));
}

} // namespace

std::string percentile_text(const latency_histogram& histogram) {
    std::string text = fmt::format("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile",
                                   "TotalCount", "1/(1-Percentile)");
    const std::uint64_t total = histogram.total();
    std::uint64_t seen = 0;
    double share = 0;
    for (std::size_t bucket = 0; bucket != latency_histogram::bucket_count; ++bucket) {
        seen += histogram.count_in(bucket);
        if (histogram.count_in(bucket) == 0) {
            continue;
        }
        const auto value = static_cast<double>(end_of(bucket, histogram));
        const double reached = static_cast<double>(seen) / static_cast<double>(total);
        while (seen != total && share <= reached) {
            text += fmt::format("{:12.3f} {:2.12f} {:10} {:14.2f}\n", value, share, seen,
                                1 / (1 - share));
            share = share_after(share);
        }
    }
    if (total != 0) {
        text += fmt::format("{:12.3f} {:2.12f} {:10}\n", static_cast<double>(histogram.largest()),
                            1.0, total);
    }
    const auto [mean, deviation] = moments_of(histogram);
    text += fmt::format("#[Mean    = {:12.3f}, StdDeviation   = {:12.3f}]\n"
                        "#[Max     = {:12.3f}, Total count    = {:12}]\n"
                        "#[Buckets = {:12}, SubBuckets     = {:12}]\n",
                        mean, deviation, static_cast<double>(histogram.largest()), total,
                        latency_histogram::largest_bits - latency_histogram::precision_bits,
                        latency_histogram::linear);
    return text;
}

std::string write_percentiles(const std::string& folder, std::string_view operation,
                              std::string_view contestant,
                              const tool::latency_histogram& histogram) {
    std::string name = fmt::format("{}-{}.txt", operation, contestant);
    std::replace(name.begin(), name.end(), ' ', '-');
    std::string reason;
    os::output_file::write(folder + "/" + name, percentile_text(histogram), reason);
    return reason;
}

} // namespace resident::bench
