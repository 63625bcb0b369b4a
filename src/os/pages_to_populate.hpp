/// How much memory locking a range will take.
#pragma once

#include <cstddef>

namespace resident::os {

/// Returns: the bytes of the range whose page is not in RAM for this process alone, so that
/// populating it may take a page: untouched, swapped, or shared (the zero page, a page shared with
/// a forked child, a file page that a write would copy). Code pages that several processes map
/// count as well: too much rather than too little. All bytes if /proc/self/pagemap cannot be read.
/// Requires: page-aligned. Complexity: linear in pages, no memory. Any thread. Not real-time safe.
[[nodiscard]] std::size_t bytes_to_populate(std::size_t address, std::size_t bytes) noexcept;

} // namespace resident::os
