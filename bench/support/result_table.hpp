/// Contestants below each other, workloads side by side, in at most 80 columns.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace resident::bench {

/// Each cell is a time and, if there is a row "ref", its ratio to that row. At most six columns.
/// If there is a row "resident", lines below tell which other contestant is the best, and which
/// of those that give memory from one size to another, and the ratio of "resident" to it.
class result_table {
public:
    explicit result_table(std::string_view title) : title_(title) {}

    /// Rows and columns appear in the order in which they are named first.
    void set(std::string_view row, std::string_view column, double nanoseconds);

    [[nodiscard]] std::string text() const;

private:
    [[nodiscard]] std::optional<double> value(std::string_view row,
                                              const std::string& column) const;
    [[nodiscard]] std::string best(const std::string& column,
                                   bool (*counts)(std::string_view)) const;
    [[nodiscard]] std::string line(const std::string& row) const;
    [[nodiscard]] std::string against(std::string_view label,
                                      bool (*counts)(std::string_view)) const;

    std::string title_;
    std::vector<std::string> rows_;
    std::vector<std::string> columns_;
    std::map<std::pair<std::string, std::string>, double> values_;
};

} // namespace resident::bench
