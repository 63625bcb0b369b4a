/// The histogram as rows of bars, one row a contestant, above one common axis of time.
#pragma once

#include "tool/demo_result.hpp"
#include "tool/text_layout.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace resident::tool {

/// A logarithmic axis in whole decades that holds every time measured.
struct time_axis {
    int first_decade = 0; ///< begins at 10^first_decade nanoseconds
    int decades = 1;

    [[nodiscard]] double begin() const;
    [[nodiscard]] double end() const;
    /// Where part `index` of `parts` equal ones begins.
    [[nodiscard]] double edge(std::size_t index, std::size_t parts) const;
};

[[nodiscard]] time_axis axis_of(const demo_result& result);

/// How many periods fell in each of `parts` equal parts of the axis.
[[nodiscard]] std::vector<std::uint64_t> counts_along(const latency_histogram& work,
                                                      const time_axis& axis, std::size_t parts);

[[nodiscard]] std::string text_bars(const demo_result& result, const text_abilities& abilities);

} // namespace resident::tool
