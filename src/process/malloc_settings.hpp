/// Making malloc keep what it has.
#pragma once

#include "resident/prepare.hpp"

#include <string_view>

namespace resident::detail {

/// mallopt M_TRIM_THRESHOLD and M_MMAP_MAX. Not supported where malloc is not glibc's own.
[[nodiscard]] preparation_step keep_malloc_memory(std::string_view name) noexcept;

/// mallopt M_ARENA_MAX. Not supported where malloc is not glibc's own.
[[nodiscard]] preparation_step use_single_malloc_arena(std::string_view name) noexcept;

} // namespace resident::detail
