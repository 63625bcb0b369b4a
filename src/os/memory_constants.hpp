/// The kernel's flags for mappings, for the rooms above; older headers lack the newer ones.
#pragma once

#include <sys/mman.h>

namespace resident::os {

inline constexpr int no_access = PROT_NONE;
inline constexpr int read_write = PROT_READ | PROT_WRITE;

/// A range that takes no memory and no commitment.
inline constexpr int reserve_flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
/// The same at exactly this address, replacing what is there.
inline constexpr int reserve_over_flags = reserve_flags | MAP_FIXED;
/// The same at exactly this address, refusing if something is there (Linux 4.17).
inline constexpr int reserve_beside_flags = reserve_flags | 0x100000;
/// Reserved huge pages over a reservation. Without MAP_NORESERVE: with it a short pool is met by
/// SIGBUS at the first touch, not by an error here (kernel facts, 10).
inline constexpr int huge_pages_over_flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_HUGETLB;
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
inline constexpr int populate_write_advice = 23; ///< MADV_POPULATE_WRITE (Linux 5.14)
#ifdef MADV_POPULATE_WRITE
static_assert(populate_write_advice == MADV_POPULATE_WRITE);
#endif

} // namespace resident::os
