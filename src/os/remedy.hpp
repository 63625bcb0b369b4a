/// What mends an error, where this process runs.
#pragma once

#include "os/text.hpp"
#include "resident/error.hpp"

namespace resident::os {

/// Appends the remedy: one or two clauses that name the command, the line or the call, with its
/// number. Never nothing.
void compose_remedy(const error_details& details, text_builder& remedy) noexcept;

} // namespace resident::os
