/// The histogram as a picture, drawn by gnuplot.
#pragma once

#include "tool/demo_result.hpp"

#include <string>

namespace resident::tool {

struct picture {
    std::string svg;     ///< a document by itself; light or dark as the reader prefers
    std::string failure; ///< why there is none: gnuplot is missing, or failed
};

[[nodiscard]] picture draw_histogram(const demo_result& result);

} // namespace resident::tool
