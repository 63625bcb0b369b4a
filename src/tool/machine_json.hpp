/// What the figures were measured on, as every report tells it.
#pragma once

#include "tool/latency_histogram.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <utility>
#include <vector>

namespace resident::tool {

/// An object of the facts in their order.
[[nodiscard]] nlohmann::ordered_json
machine_part(const std::vector<std::pair<std::string, std::string>>& facts);

/// With clock_noise() as "noise", described in docs/report-format.md.
[[nodiscard]] nlohmann::ordered_json
machine_part(const std::vector<std::pair<std::string, std::string>>& facts,
             const latency_histogram& noise);

} // namespace resident::tool
