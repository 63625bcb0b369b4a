/// What /proc/self/smaps says about a range.
#pragma once

#include "os/kernel.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace resident::os {

/// Sums over the mappings that intersect a range, clipped to it where the kernel's figures allow:
/// a mapping that reaches beyond the range is reported in whole, see `beyond`. Bytes.
struct mapping_summary {
    std::size_t size = 0;   ///< of the mappings met
    std::size_t beyond = 0; ///< of those, bytes outside the range
    std::size_t rss = 0;    ///< in RAM, reserved huge pages included
    /// Bytes in RAM that cannot leave it: smaps "Locked", or the RSS where that field is divided by
    /// the number of processes that share a page (after fork); of reserved huge pages the RSS.
    std::size_t locked = 0;
    std::size_t huge = 0; ///< AnonHugePages and reserved huge pages
    std::size_t swap = 0;
    std::size_t kernel_page_size = 0;   ///< of the last mapping met
    bool all_locked_flag = true;        ///< every mapping met has VmFlags lo (or is hugetlb: ht)
    bool all_excluded_from_fork = true; ///< dc
    bool all_wiped_on_fork = true;      ///< wf
    bool all_excluded_from_dump = true; ///< dd
    std::size_t mappings = 0;           ///< how many were met
};

/// Effects: reads /proc/self/smaps once, in a fixed buffer. Fails if and only if it cannot be read.
outcome summarize_mappings(const void* address, std::size_t bytes,
                           mapping_summary& summary) noexcept;

/// A mapping of a process.
struct mapping {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    bool readable = false, writable = false, executable = false;
    std::uint64_t file_offset = 0; ///< where it begins in its file, bytes
    std::uint64_t inode = 0;       ///< of its file; 0: it has none
    bool locked = false;           ///< VmFlags lo, which smaps has, and maps has not
};

/// What a line of /proc/<id>/maps, or the first line of an entry of smaps, says:
/// "7f0000000000-7f0000200000 rw-s 00001000 fe:00 1234   /folder/file". Nothing for any other line.
[[nodiscard]] std::optional<mapping> parse_mapping(std::string_view line) noexcept;

/// Calls `visit(mapping, context)` for each mapping of the process that intersects the range, in
/// order of address; stops when it returns false. Fails as above.
outcome visit_mappings(const void* address, std::size_t bytes, bool (*visit)(const mapping&, void*),
                       void* context) noexcept;

/// Effects: reads /proc/self/maps once. Puts into `mapped` how many bytes of the range are mapped,
/// accessible or not. Fails if and only if it cannot be read.
outcome count_mapped(const void* address, std::size_t bytes, std::size_t& mapped) noexcept;

/// How many mappings the process has. Fails as above.
outcome count_mappings(std::size_t& mappings) noexcept;

} // namespace resident::os
