#include "tool/latency_histogram.hpp"

#include <algorithm>
#include <cmath>

namespace resident::tool {

void latency_histogram::merge(const latency_histogram& other) noexcept {
    for (std::size_t bucket = 0; bucket < bucket_count; ++bucket) {
        counts_[bucket] += other.counts_[bucket];
    }
    total_ += other.total_;
    largest_ = std::max(largest_, other.largest_);
}

std::uint64_t latency_histogram::percentile(double share) const noexcept {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(total_)));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < bucket_count; ++bucket) {
        seen += counts_[bucket];
        if (seen == 0 || seen < wanted)
            continue;
        // The end of the bucket: a percentile must not be told better than it was.
        const bool last = bucket + 1 == bucket_count;
        return last ? largest_ : std::min(begin_of(bucket + 1) - 1, largest_);
    }
    return 0;
}

std::uint64_t latency_histogram::between(double from, double to) const noexcept {
    std::uint64_t sum = 0;
    for (std::size_t bucket = 0; bucket < bucket_count; ++bucket) {
        const auto begin = static_cast<double>(begin_of(bucket));
        if (begin >= from && begin < to)
            sum += counts_[bucket];
    }
    return sum;
}

} // namespace resident::tool
