/// The kernel's constants for preparing a process; older headers lack the newer ones.
#pragma once

#include <sys/mman.h>

namespace resident::os {

inline constexpr int lock_all_current = MCL_CURRENT;
inline constexpr int lock_all_future = MCL_FUTURE;
inline constexpr int lock_all_on_fault = 4; ///< MCL_ONFAULT (Linux 4.4)

inline constexpr int populate_read_advice = 22; ///< MADV_POPULATE_READ (Linux 5.14)
inline constexpr int memory_merge_option = 67;  ///< PR_SET_MEMORY_MERGE (Linux 6.4)
inline constexpr int preferred_node_policy = 1; ///< MPOL_PREFERRED

} // namespace resident::os
