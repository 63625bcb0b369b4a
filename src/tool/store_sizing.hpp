/// How many records fit.
#pragma once

#include "tool/records.hpp"

#include <cstddef>
#include <memory_resource>

namespace resident::tool {

/// The options of every std pool of the demo. Chunks of at most 256 blocks: the default lets each
/// size class take chunks of megabytes ahead, which a small arena does not have to give.
[[nodiscard]] std::pmr::pool_options demo_pool_options() noexcept;

/// What a store would take from its resource, at its peak, in whole granules of an arena, while the
/// input goes through it once more than fills it.
[[nodiscard]] std::size_t peak_need(const record_view& input, std::size_t records);

/// The largest number of records, to some 3 %, whose peak need is within 7/8 of `capacity`; the
/// rest is for the arena's fragmentation. 0 if not even one fits.
[[nodiscard]] std::size_t records_that_fit(const record_view& input, std::size_t capacity);

} // namespace resident::tool
