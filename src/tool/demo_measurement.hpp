/// From what can be measured here to what was.
#pragma once

#include "os/harness/termination_signals.hpp"
#include "tool/demo_result.hpp"
#include "tool/demo_setup.hpp"
#include "tool/progress_line.hpp"

#include <functional>
#include <string_view>

namespace resident::tool {

/// Effects: arranges the pressure that `options` wants, where the machine allows it, runs the
/// contest, and ends the pressure in any case; calls `complain` if the machine is not as it was.
/// Throws: `interrupted` on a signal; std::runtime_error if the machine gives out.
/// Call while this process has one thread.
[[nodiscard]] demo_result measure(const demo_options& options, const demo_setup& setup,
                                  os::termination_signals& signals, progress_line& progress,
                                  const std::function<void(std::string_view)>& complain);

} // namespace resident::tool
