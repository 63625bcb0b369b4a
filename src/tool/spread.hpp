/// The middle of repeated measurements, and how far they lie apart.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace resident::tool {

struct spread {
    double low = 0; ///< the first quartile
    double median = 0;
    double high = 0; ///< the third quartile
};

/// Between two samples, quantiles are interpolated. Requires: at least one sample.
[[nodiscard]] inline spread spread_of(std::vector<double> samples) {
    std::sort(samples.begin(), samples.end());
    const auto quantile = [&samples](double share) {
        const double place = share * static_cast<double>(samples.size() - 1);
        const auto below = static_cast<std::size_t>(place);
        const std::size_t above = std::min(below + 1, samples.size() - 1);
        return samples[below] +
               (samples[above] - samples[below]) * (place - static_cast<double>(below));
    };
    return {quantile(0.25), quantile(0.5), quantile(0.75)};
}

} // namespace resident::tool
