/// Which pages of a range are in RAM, as the kernel sees them.
#pragma once

#include "resident/result.hpp"

#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

namespace resident {

/// The pages of a range, in order.
class page_map {
public:
    page_map(std::size_t page_size, std::vector<bool> resident)
        : page_size_(page_size), resident_(std::move(resident)) {}

    /// Bytes a page.
    [[nodiscard]] std::size_t page_size() const noexcept { return page_size_; }
    /// Pages that the range touches.
    [[nodiscard]] std::size_t size() const noexcept { return resident_.size(); }
    /// Whether page `index` is in RAM. The behavior is undefined unless `index < size()`.
    [[nodiscard]] bool operator[](std::size_t index) const noexcept { return resident_[index]; }
    /// Pages in RAM.
    [[nodiscard]] std::size_t resident_pages() const noexcept;
    [[nodiscard]] bool all_resident() const noexcept { return resident_pages() == size(); }
    /// One character a page: `*` in RAM, `.` not.
    [[nodiscard]] std::string to_string() const;

    friend std::ostream& operator<<(std::ostream& out, const page_map& map);

private:
    std::size_t page_size_;
    std::vector<bool> resident_;
};

/// Returns: the pages that [address, address + bytes) touches. 0 bytes touch none.
/// In RAM means that a page table entry maps the page; a swapped page does not count, nor, from
/// Linux 6.7 on (PAGEMAP_SCAN), does the shared zero page, which the next write would fault away.
/// Fails if and only if part of the range is not mapped, or /proc/self/pagemap cannot be read.
/// Complexity: linear in pages. Any thread. Not real-time safe.
[[nodiscard]] result<page_map> residency(const void* address, std::size_t bytes);

} // namespace resident
