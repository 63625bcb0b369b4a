/// /proc/self/pagemap: the page table of this process, as far as the kernel shows it.
#pragma once

#include <cstdint>

#include <sys/ioctl.h>

namespace resident::os {

inline constexpr const char* pagemap_path = "/proc/self/pagemap";

// PAGEMAP_SCAN (Linux 6.7), from linux/fs.h, which older kernel headers have without it.
struct pagemap_region {
    std::uint64_t begin;
    std::uint64_t end;
    std::uint64_t categories;
};
struct pagemap_scan {
    std::uint64_t size = sizeof(pagemap_scan);
    std::uint64_t flags = 0;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t walk_end = 0; // written by the kernel: how far it came
    std::uint64_t regions = 0;  // address of an array of pagemap_region
    std::uint64_t region_count = 0;
    std::uint64_t max_pages = 0; // 0: any number
    std::uint64_t category_inverted = 0;
    std::uint64_t category_mask = 0; // all of these, after inversion
    std::uint64_t category_any_mask = 0;
    std::uint64_t return_mask = 0;
};
static_assert(sizeof(pagemap_scan) == 96);

inline constexpr std::uint64_t page_is_present = std::uint64_t{1} << 3U;
inline constexpr std::uint64_t page_is_zero = std::uint64_t{1} << 5U;
inline constexpr unsigned long pagemap_scan_request = _IOWR('f', 16, pagemap_scan);

} // namespace resident::os
