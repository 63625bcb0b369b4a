#include "resident/residency.hpp"

#include "os/features.hpp"
#include "os/headroom.hpp"
#include "os/kernel.hpp"
#include "os/mappings.hpp"
#include "os/pagemap.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <ostream>

namespace resident {
namespace {

constexpr const char* residency_subject = "residency";

/// The pages that a range touches.
struct page_range {
    std::uintptr_t begin;
    std::size_t page_size;
    std::size_t count;

    page_range(const void* address, std::size_t bytes) noexcept : page_size(os::page_size()) {
        const auto first = reinterpret_cast<std::uintptr_t>(address);
        begin = first / page_size * page_size;
        count = bytes == 0 ? 0 : (first - begin + bytes - 1) / page_size + 1;
    }
    [[nodiscard]] std::size_t bytes() const noexcept { return count * page_size; }
    [[nodiscard]] const void* address() const noexcept {
        return reinterpret_cast<const void*>(begin);
    }
};

/// Marks the pages that are present and not the zero page.
os::outcome scan(const os::pagemap& pagemap, const page_range& pages, std::vector<bool>& resident) {
    std::array<os::pagemap_region, 256> regions{};
    os::pagemap_scan request;
    request.begin = pages.begin;
    request.end = pages.begin + pages.bytes();
    request.regions = reinterpret_cast<std::uintptr_t>(regions.data());
    request.region_count = regions.size();
    request.category_mask = os::page_is_present | os::page_is_zero;
    request.category_inverted = os::page_is_zero;
    request.return_mask = os::page_is_present;
    while (request.begin < request.end) {
        const os::outcome found = pagemap.scan(request);
        if (!found)
            return found;
        for (std::size_t index = 0; index < std::min(found.value(), regions.size()); ++index) {
            const auto& region = regions[index];
            const auto first = (region.begin - pages.begin) / pages.page_size;
            const auto last =
                std::min<std::uint64_t>((region.end - pages.begin) / pages.page_size, pages.count);
            std::fill(resident.begin() + static_cast<std::ptrdiff_t>(first),
                      resident.begin() + static_cast<std::ptrdiff_t>(last), true);
        }
        if (request.walk_end <= request.begin)
            return os::outcome::failure(EIO);
        request.begin = request.walk_end;
    }
    return os::outcome::success();
}

/// Marks the pages whose entry says present; the zero page as well.
os::outcome read_entries(const os::pagemap& pagemap, const page_range& pages,
                         std::vector<bool>& resident) {
    return pagemap.visit_entries(pages.begin / pages.page_size, pages.count,
                                 [&resident](std::size_t index, os::pagemap_entry entry) {
                                     resident[index] = (entry & os::entry_is_present) != 0;
                                 });
}

} // namespace

std::size_t page_map::resident_pages() const noexcept {
    return static_cast<std::size_t>(std::count(resident_.begin(), resident_.end(), true));
}

std::string page_map::to_string() const {
    std::string text(size(), '.');
    for (std::size_t index = 0; index < size(); ++index) {
        if (resident_[index])
            text[index] = '*';
    }
    return text;
}

std::ostream& operator<<(std::ostream& out, const page_map& map) { return out << map.to_string(); }

result<page_map> residency(const void* address, std::size_t bytes) {
    const auto first = reinterpret_cast<std::uintptr_t>(address);
    const std::uintptr_t last_page = std::numeric_limits<std::uintptr_t>::max() - os::page_size();
    if (first > last_page || bytes > last_page - first) {
        return os::make_argument_error(
            residency_subject, "%zu bytes at %p reach beyond the address space", bytes, address);
    }
    const page_range pages(address, bytes);
    if (pages.count == 0)
        return page_map(pages.page_size, {});

    std::size_t mapped = 0;
    const os::outcome counted = os::count_mapped(pages.address(), pages.bytes(), mapped);
    const auto unreadable = [&](const os::outcome& failed) {
        return os::make_error(operation::read_system_file, failed.error_number(), pages.bytes(),
                              residency_subject);
    };
    if (!counted)
        return unreadable(counted);
    if (mapped < pages.bytes()) {
        return os::make_argument_error(residency_subject,
                                       "of the %zu bytes at %p, %zu are not mapped", pages.bytes(),
                                       pages.address(), pages.bytes() - mapped);
    }
    const os::pagemap pagemap;
    if (!pagemap.status())
        return unreadable(pagemap.status());
    std::vector<bool> resident(pages.count);
    const os::outcome found = os::can_scan_pagemap() ? scan(pagemap, pages, resident)
                                                     : read_entries(pagemap, pages, resident);
    if (!found)
        return unreadable(found);
    return page_map(pages.page_size, std::move(resident));
}

} // namespace resident
