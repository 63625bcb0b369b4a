/// The program and its shared objects in RAM.
#pragma once

#include "resident/prepare.hpp"

#include <cstddef>
#include <string_view>

namespace resident::detail {

/// Effects: locks each loadable segment that leaves `leave_lockable` bytes of the memlock limit;
/// populates those that do not fit, as far as RAM and cgroups allow. Writable segments included:
/// a variable's first write would copy its page from the file.
/// Returns: done; in part if a segment is not locked; bytes are those locked.
[[nodiscard]] preparation_step lock_loaded_code(std::string_view name,
                                                std::size_t leave_lockable) noexcept;

} // namespace resident::detail
