/// The administrator's pools of reserved huge pages.
#pragma once

#include "os/text.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace resident::os {

/// One pool, in pages; all 0 if there is no such pool.
struct huge_page_pool {
    std::uint64_t total = 0;    ///< nr_hugepages
    std::uint64_t free = 0;     ///< free_hugepages: of those, untouched
    std::uint64_t promised = 0; ///< resv_hugepages: of the free ones, to mappings

    [[nodiscard]] std::uint64_t usable() const noexcept { return free - std::min(free, promised); }
};

/// Reads /sys/kernel/mm/hugepages. Not real-time safe; any thread.
[[nodiscard]] huge_page_pool read_huge_page_pool(std::size_t page_bytes) noexcept;

/// Appends where that pool is set: "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages".
void append_pool_path(std::size_t page_bytes, text_builder& path) noexcept;

/// Returns: the pages of `page_bytes` each that are free and promised to nobody; 0 if there is no
/// such pool. Not real-time safe; any thread.
[[nodiscard]] std::size_t free_reserved_huge_pages(std::size_t page_bytes) noexcept;

} // namespace resident::os
