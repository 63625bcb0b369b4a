/// How many records fit.
#pragma once

#include "tool/records.hpp"

#include <cstddef>

namespace resident::tool {

/// The largest number of records, to some 3 %, with which the input goes through a store on a pool
/// once more than fills it, in 3/4 of an arena of `capacity`, less 256 KiB; the rest is for what
/// comes after, and for what two threads need more than one.
/// 0 if not even one fits. Throws: resident::error if there is no memory to try it.
[[nodiscard]] std::size_t records_that_fit(const record_view& input, std::size_t capacity);

} // namespace resident::tool
