#include "tool/demo_result.hpp"

#include <algorithm>

namespace resident::tool {

std::vector<const contest_result*> demo_result::arena_rows() const {
    std::vector<const contest_result*> rows;
    for (const contest_result& row : contestants)
        if (row.who->is_arena)
            rows.push_back(&row);
    return rows;
}

bool demo_result::holds() const {
    return std::all_of(contestants.begin(), contestants.end(), [](const contest_result& row) {
        return !row.who->is_arena || (row.measured && row.faults() == 0);
    });
}

} // namespace resident::tool
