#include "os/huge_page_pool.hpp"

#include "os/system_file.hpp"

#include <array>

namespace resident::os {
namespace {

void append_file(std::size_t page_bytes, const char* name, text_builder& path) noexcept {
    path.print("/sys/kernel/mm/hugepages/hugepages-%zukB/%s", page_bytes / 1024, name);
}

std::uint64_t read_count(std::size_t page_bytes, const char* name) noexcept {
    std::array<char, 96> path{};
    text_builder text(path);
    append_file(page_bytes, name, text);
    return read_number(path.data()).value_or(0);
}

} // namespace

huge_page_pool read_huge_page_pool(std::size_t page_bytes) noexcept {
    return {.total = read_count(page_bytes, "nr_hugepages"),
            .free = read_count(page_bytes, "free_hugepages"),
            .promised = read_count(page_bytes, "resv_hugepages")};
}

void append_pool_path(std::size_t page_bytes, text_builder& path) noexcept {
    append_file(page_bytes, "nr_hugepages", path);
}

std::size_t free_reserved_huge_pages(std::size_t page_bytes) noexcept {
    return static_cast<std::size_t>(read_huge_page_pool(page_bytes).usable());
}

} // namespace resident::os
