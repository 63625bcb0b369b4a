/// What `resident size` tells, for people and for programs.
#pragma once

#include "resident/footprint.hpp"
#include "tool/size.hpp"
#include "tool/text_layout.hpp"

#include <string>
#include <vector>

namespace resident::tool {

struct size_result {
    trace_input input;
    std::vector<replay::class_peaks> classes{};
    footprint_report peaks{};
    sizing found{};
};

/// At most 80 columns.
[[nodiscard]] std::string size_text(const size_result& result, const text_abilities& abilities);

/// docs/replay.md describes the members.
[[nodiscard]] std::string size_json(const size_result& result);

} // namespace resident::tool
