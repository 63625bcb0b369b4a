/// The report of a replay, for people and for programs.
#pragma once

#include "tool/replay_result.hpp"
#include "tool/text_layout.hpp"

#include <string>
#include <utility>
#include <vector>

namespace resident::tool {

/// Two tables and the notes, at most 80 columns.
[[nodiscard]] std::string replay_text(const replay_result& result, const text_abilities& abilities);

/// docs/replay.md describes the members.
[[nodiscard]] std::string replay_json(const replay_result& result);

/// What the trace is, as lines of a name and a value.
[[nodiscard]] std::vector<std::pair<std::string, std::string>>
describe_trace(const trace_input& input);

/// What the tables cannot say: who is missing and why, what is broken, what did not fit.
[[nodiscard]] std::vector<std::string> notes_on(const replay_result& result);

} // namespace resident::tool
