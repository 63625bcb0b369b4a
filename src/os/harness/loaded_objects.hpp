/// The variables of the program and of the shared objects it has loaded.
#pragma once

#include "resident/page_lock.hpp"

#include <vector>

namespace resident::os {

/// Locks the writable segments (initialised, zeroed and relocated data) of every loaded object.
/// Returns: the locks held; an object whose segment cannot be locked is left out.
std::vector<page_lock> lock_static_data();

} // namespace resident::os
