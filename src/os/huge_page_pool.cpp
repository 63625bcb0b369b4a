#include "os/huge_page_pool.hpp"

#include "os/system_file.hpp"

#include <cstdint>
#include <cstdio>

namespace resident::os {
namespace {

std::uint64_t read_count(std::size_t page_bytes, const char* which) noexcept {
    char path[96];
    std::snprintf(path, sizeof path, "/sys/kernel/mm/hugepages/hugepages-%zukB/%s",
                  page_bytes / 1024, which);
    return read_number(path).value_or(0);
}

} // namespace

std::size_t free_reserved_huge_pages(std::size_t page_bytes) noexcept {
    const std::uint64_t free_pages = read_count(page_bytes, "free_hugepages");
    // Free, yet promised to mappings that have not touched them.
    const std::uint64_t promised = read_count(page_bytes, "resv_hugepages");
    return static_cast<std::size_t>(free_pages > promised ? free_pages - promised : 0);
}

} // namespace resident::os
