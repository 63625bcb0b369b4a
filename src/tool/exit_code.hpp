/// What the command tells its caller.
#pragma once

namespace resident::tool {

inline constexpr int exit_success = 0;
inline constexpr int exit_check_failed = 1; ///< it ran, and something that should hold does not
inline constexpr int exit_usage = 2;        ///< the command line, or what it names, is wrong

} // namespace resident::tool
