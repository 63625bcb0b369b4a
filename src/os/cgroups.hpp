/// The memory cgroups that this process is in.
#pragma once

#include "resident/error.hpp"

#include <string_view>

namespace resident::os {

/// `directory` has the files of a level, `name` is its path below the mount, "/" for the mount's.
using cgroup_level_visitor = void (*)(std::string_view directory, std::string_view name,
                                      void* context);

/// Effects: shows each level that this process is in, innermost first: of the v1 hierarchy with
/// `controller`, and of v2, whichever is mounted; where a mount shows only part of the hierarchy (a
/// container), the levels that it shows.
void visit_cgroup_levels(std::string_view controller, cgroup_level_visitor visit,
                         void* context) noexcept;

/// Effects: adds to `snapshot.cgroups` each level that has a limit, innermost first: of the v1
/// memory hierarchy, of the v2 hierarchy, or of both where both are mounted. Where a mount shows
/// only part of the hierarchy (a container), the levels that it shows. If there are more levels
/// than the snapshot holds, those with the least room stay.
void read_memory_cgroups(headroom_snapshot& snapshot) noexcept;

/// Bytes that the level still leaves.
[[nodiscard]] constexpr std::size_t room(const memory_cgroup_level& level) noexcept {
    if (level.limit == unlimited)
        return unlimited;
    return level.limit > level.usage ? level.limit - level.usage : 0;
}

/// The level that leaves least; null if none has a limit.
[[nodiscard]] const memory_cgroup_level* tightest(const headroom_snapshot& snapshot) noexcept;

} // namespace resident::os
