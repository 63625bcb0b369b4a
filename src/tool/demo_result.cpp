#include "tool/demo_result.hpp"

#include <algorithm>

namespace resident::tool {

const contest_result& demo_result::arena_row() const {
    return *std::find_if(contestants.begin(), contestants.end(),
                         [](const contest_result& row) { return row.who->is_arena; });
}

} // namespace resident::tool
