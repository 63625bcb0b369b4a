/// The kernel's own numbers, for every room: the C library's headers may lack the newer ones, and
/// the rooms above do not include the kernel's headers.
#pragma once

#include <sys/mman.h>

namespace resident::os {

inline constexpr int no_access = PROT_NONE;
inline constexpr int read_write = PROT_READ | PROT_WRITE;

/// Memory of one's own.
inline constexpr int private_memory_flags = MAP_PRIVATE | MAP_ANONYMOUS;
/// A range that takes no memory and no commitment.
inline constexpr int reserve_flags = private_memory_flags | MAP_NORESERVE;
/// The same at exactly this address, replacing what is there.
inline constexpr int reserve_over_flags = reserve_flags | MAP_FIXED;
/// The same at exactly this address, refusing if something is there (Linux 4.17).
inline constexpr int reserve_beside_flags = reserve_flags | 0x100000;
/// A range where huge pages fit, that takes none from the pool. For addresses alone: a touch could
/// be met by SIGBUS.
inline constexpr int reserve_huge_flags = reserve_flags | MAP_HUGETLB;
/// Reserved huge pages over a reservation. Without MAP_NORESERVE: with it a short pool is met by
/// SIGBUS at the first touch, not by an error here (kernel facts, 10).
inline constexpr int huge_pages_over_flags = private_memory_flags | MAP_FIXED | MAP_HUGETLB;
/// log2 of the page size goes here.
inline constexpr int huge_page_shift = 26;

inline constexpr int huge_page_advice = MADV_HUGEPAGE;
inline constexpr int no_huge_page_advice = MADV_NOHUGEPAGE;
inline constexpr int unmergeable_advice = MADV_UNMERGEABLE;
inline constexpr int exclude_from_fork_advice = MADV_DONTFORK;
inline constexpr int include_in_fork_advice = MADV_DOFORK;
inline constexpr int wipe_on_fork_advice = MADV_WIPEONFORK;
inline constexpr int exclude_from_dump_advice = MADV_DONTDUMP;
inline constexpr int discard_advice = MADV_DONTNEED;
inline constexpr int populate_read_advice = 22;  ///< MADV_POPULATE_READ (Linux 5.14)
inline constexpr int populate_write_advice = 23; ///< MADV_POPULATE_WRITE (Linux 5.14)
#ifdef MADV_POPULATE_WRITE
static_assert(populate_read_advice == MADV_POPULATE_READ);
static_assert(populate_write_advice == MADV_POPULATE_WRITE);
#endif

inline constexpr int lock_range_on_fault = 1; ///< MLOCK_ONFAULT (Linux 4.4)
inline constexpr int lock_all_current = MCL_CURRENT;
inline constexpr int lock_all_future = MCL_FUTURE;
inline constexpr int lock_all_on_fault = 4; ///< MCL_ONFAULT (Linux 4.4)

// Policies of NUMA memory, from linux/mempolicy.h.
inline constexpr int default_node_policy = 0;   ///< MPOL_DEFAULT
inline constexpr int preferred_node_policy = 1; ///< MPOL_PREFERRED
inline constexpr int local_node_policy = 4;     ///< MPOL_LOCAL

// Options of prctl.
inline constexpr int memory_merge_option = 67;      ///< PR_SET_MEMORY_MERGE (Linux 6.4)
inline constexpr int mapping_option = 0x53564d61;   ///< PR_SET_VMA (Linux 5.17)
inline constexpr int name_of_anonymous_mapping = 0; ///< PR_SET_VMA_ANON_NAME

} // namespace resident::os
