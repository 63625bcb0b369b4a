/// RLIMIT_MEMLOCK of this process.
#pragma once

#include "os/kernel.hpp"
#include "resident/error.hpp"

#include <cstddef>

namespace resident::os {

/// Bytes; `unlimited` where the kernel says RLIM_INFINITY.
struct memlock_limit {
    std::size_t soft = unlimited;
    std::size_t hard = unlimited;
};

/// Fails if and only if the kernel refuses; then `limit` is unchanged.
outcome read_memlock_limit(memlock_limit& limit) noexcept;

/// Fails if and only if the kernel refuses: EPERM for more than the hard limit in force, EINVAL for
/// a soft limit above the hard one.
outcome set_memlock_limit(const memlock_limit& limit) noexcept;

/// Effects: sets the soft limit to the hard one, in the process and in `limit`, which has just been
/// read. Fails if and only if the kernel refuses; then neither has changed.
outcome raise_soft_memlock_limit(memlock_limit& limit) noexcept;

} // namespace resident::os
