/// What the figures were measured on.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace resident::tool {

/// Name and value, in the order to print. What cannot be read is left out.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> describe_machine();

/// Now, UTC, as 2024-05-01T12:00:00Z.
[[nodiscard]] std::string timestamp();

} // namespace resident::tool
