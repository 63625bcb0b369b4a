/// Reporting one step of a preparation.
#pragma once

#include "os/kernel.hpp"
#include "resident/prepare.hpp"

#include <cstddef>
#include <string_view>

namespace resident::detail {

/// What became of the step whose call answered `answered`. A kernel that does not know the call,
/// or its argument, does not support it; that is no failure.
[[nodiscard]] preparation_step step_of(std::string_view name, const os::outcome& answered,
                                       std::size_t bytes = 0) noexcept;

} // namespace resident::detail
