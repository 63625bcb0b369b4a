/// The administrator's pools of reserved huge pages.
#pragma once

#include <cstddef>

namespace resident::os {

/// Returns: the pages of `page_bytes` each that are free and promised to nobody, by
/// /sys/kernel/mm/hugepages; 0 if there is no such pool. Not real-time safe; any thread.
[[nodiscard]] std::size_t free_reserved_huge_pages(std::size_t page_bytes) noexcept;

} // namespace resident::os
