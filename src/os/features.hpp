/// What the running kernel can do: asked each time, by a call that changes nothing.
#pragma once

#include "os/text.hpp"
#include "resident/error.hpp"

#include <compare>

namespace resident::os {

/// MADV_POPULATE_WRITE, Linux 5.14.
[[nodiscard]] bool can_populate_write() noexcept;
/// The PAGEMAP_SCAN of /proc/self/pagemap, Linux 6.7.
[[nodiscard]] bool can_scan_pagemap() noexcept;

/// A version of Linux, as far as features go by it. Distributions carry features back to older
/// ones: to explain a failure by, not to decide by.
struct kernel_release {
    unsigned major = 0;
    unsigned minor = 0;

    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees the 0 that it compares with
    friend constexpr auto operator<=>(const kernel_release&, const kernel_release&) = default;
};

/// By /proc/sys/kernel/osrelease; {0, 0} if that cannot be read or starts with no version.
[[nodiscard]] kernel_release running_kernel() noexcept;

/// Appends "5.14".
text_builder& operator<<(text_builder& text, const kernel_release& release) noexcept;

/// A feature, and the first Linux that has it.
struct kernel_feature {
    const char* name;
    kernel_release since;
};

/// The feature that such an error says is missing; null where the two do not tell.
[[nodiscard]] const kernel_feature* missing_feature(operation failed, int error_number) noexcept;

} // namespace resident::os
