/// What the running kernel can do: asked each time, by a call that changes nothing.
#pragma once

namespace resident::os {

/// MADV_POPULATE_WRITE, Linux 5.14.
[[nodiscard]] bool can_populate_write() noexcept;
/// mlock2(MLOCK_ONFAULT), Linux 4.4.
[[nodiscard]] bool can_lock_on_fault() noexcept;
/// The PAGEMAP_SCAN of /proc/self/pagemap, Linux 6.7.
[[nodiscard]] bool can_scan_pagemap() noexcept;

} // namespace resident::os
