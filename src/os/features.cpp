#include "os/features.hpp"

#include "os/kernel.hpp"
#include "os/kernel_constants.hpp"
#include "os/pagemap.hpp"
#include "os/system_file.hpp"

#include <cerrno>
#include <cstdint>
#include <limits>
#include <string_view>

namespace resident::os {

// A length of 0 is checked after the advice is known to exist, and before anything is done.
bool can_populate_write() noexcept {
    return static_cast<bool>(system().advise(nullptr, 0, populate_write_advice));
}

bool can_scan_pagemap() noexcept {
    const pagemap pages;
    pagemap_scan nothing;
    nothing.category_mask = page_is_present;
    nothing.return_mask = page_is_present;
    return pages.status() && pages.scan(nothing);
}

kernel_release running_kernel() noexcept {
    line_reader file("/proc/sys/kernel/osrelease");
    std::string_view line;
    if (!file.next(line))
        return {};
    const auto major = take_number(line); // "6.1.0-13-amd64", "6.18-rc2"
    if (!major || !line.starts_with('.'))
        return {};
    line.remove_prefix(1);
    const auto minor = take_number(line);
    constexpr std::uint64_t most = std::numeric_limits<unsigned>::max();
    if (!minor || *major > most || *minor > most)
        return {};
    return {static_cast<unsigned>(*major), static_cast<unsigned>(*minor)};
}

text_builder& operator<<(text_builder& text, const kernel_release& release) noexcept {
    return text.print("%u.%u", release.major, release.minor);
}

namespace {

struct absence {
    operation failed;
    int error_number;
    kernel_feature missing;
};

constexpr absence absences[] = {
    {operation::lock, ENOSYS, {"mlock2", {4, 4}}},
    {operation::populate, EINVAL, {"MADV_POPULATE_WRITE", {5, 14}}},
    {operation::observe_faults, EINVAL, {"a perf event with sigtrap", {5, 13}}},
};

} // namespace

const kernel_feature* missing_feature(operation failed, int error_number) noexcept {
    for (const absence& each : absences) {
        if (each.failed == failed && each.error_number == error_number)
            return &each.missing;
    }
    return nullptr;
}

} // namespace resident::os
