/// What a benchmark program wrote for the report.
#pragma once

#include "tool/run_tool.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace resident::test {

struct benchmark_run {
    tool_result said;
    nlohmann::json part;
};

inline tool_options benchmark_options(const std::string& name, const std::string& folder,
                                      bool ordinary_user = false) {
    return {.program = std::string(RESIDENT_BENCHMARKS) + "/" + name,
            .ordinary_user = ordinary_user,
            .folder = folder};
}

inline benchmark_run run_benchmark(const std::string& name, std::vector<std::string> arguments,
                                   bool ordinary_user = false) {
    const scratch_folder folder;
    arguments.insert(arguments.end(), {"--json", "part.json"});
    benchmark_run run;
    run.said = run_tool(arguments, benchmark_options(name, folder.path(), ordinary_user));
    run.part = nlohmann::json::parse(read_text(folder.file("part.json")), nullptr, false);
    return run;
}

/// Null if there is none.
inline const nlohmann::json* find_table(const nlohmann::json& part, const std::string& key) {
    for (const nlohmann::json& table : part["tables"])
        if (table["key"] == key)
            return &table;
    return nullptr;
}

/// Null if there is none.
inline const nlohmann::json* find_cell(const nlohmann::json& table, const std::string& row,
                                       const std::string& column) {
    for (const nlohmann::json& cell : table["cells"])
        if (cell["row"] == row && cell["column"] == column)
            return &cell;
    return nullptr;
}

inline bool has_note(const nlohmann::json& part, const std::string& text) {
    return std::any_of(part["notes"].begin(), part["notes"].end(), [&](const auto& note) {
        return note.template get<std::string>().find(text) != std::string::npos;
    });
}

} // namespace resident::test
