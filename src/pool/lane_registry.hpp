/// The concurrent pools of this process, for threads that end and pools that are destroyed.
#pragma once

#include "resident/detail/thread_lanes.hpp"

#include <cstddef>

namespace resident::detail {

class lane_group;

/// Returns: the slot of thread_lanes that is this pool's from now on; thread_lanes::most_pools,
/// where no lane is ever found, if none is left.
[[nodiscard]] std::size_t register_group(lane_group& group) noexcept;
/// Effects: no thread has a lane of it any more. Threads that end meanwhile are waited for.
void unregister_group(lane_group& group) noexcept;

/// Effects: this thread's lanes are given back as it ends. Returns: whether they will be.
[[nodiscard]] bool register_this_thread() noexcept;

} // namespace resident::detail
