/// How many records fit.
#pragma once

#include "tool/records.hpp"

#include <cstddef>

namespace resident::tool {

/// The largest number of records, to some 3 %, with which the input goes through a store on a pool
/// once more than fills it, in 15/16 of an arena of `capacity`; the rest is for what comes after.
/// 0 if not even one fits. Throws: resident::error if there is no memory to try it.
[[nodiscard]] std::size_t records_that_fit(const record_view& input, std::size_t capacity);

} // namespace resident::tool
