#include "os/features.hpp"

#include "os/kernel.hpp"
#include "os/pagemap.hpp"

#include <cerrno>

namespace resident::os {

// A length of 0 is checked after the advice is known to exist, and before anything is done.
bool can_populate_write() noexcept {
    constexpr int populate_write = 23; // MADV_POPULATE_WRITE
    return static_cast<bool>(system().advise(nullptr, 0, populate_write));
}

bool can_lock_on_fault() noexcept {
    // EPERM, where the limit is 0, says that the call exists.
    const int error_number = system().lock_on_fault(nullptr, 0).error_number();
    return error_number != ENOSYS && error_number != EINVAL;
}

bool can_scan_pagemap() noexcept {
    const outcome opened = system().open_file(pagemap_path);
    if (!opened)
        return false;
    const int descriptor = static_cast<int>(opened.value());
    pagemap_scan nothing;
    nothing.category_mask = page_is_present;
    nothing.return_mask = page_is_present;
    const outcome scanned = system().control_file(descriptor, pagemap_scan_request, &nothing);
    static_cast<void>(system().close_file(descriptor));
    return static_cast<bool>(scanned);
}

} // namespace resident::os
