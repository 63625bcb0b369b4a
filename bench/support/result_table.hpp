/// Contestants below each other, workloads side by side, in at most 80 columns.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace resident::bench {

/// Each cell is a time and, if there is a row `compared_to`, its ratio to that row. At most six
/// columns. If there is a row "resident", lines below tell which other contestant is the best, and
/// which of those that give memory from one size to another, and the ratio of "resident" to it; and
/// to the bound, if that is not what every row is compared to.
class result_table {
public:
    /// `unit` is what a cell's time is: "ns a pair".
    result_table(std::string_view title, std::string_view unit, std::string_view compared_to)
        : title_(title), unit_(unit), compared_to_(compared_to) {}

    /// Rows and columns appear in the order in which they are named first.
    void set(std::string_view row, std::string_view column, double nanoseconds);

    [[nodiscard]] std::string text() const;

private:
    [[nodiscard]] std::optional<double> value(std::string_view row,
                                              const std::string& column) const;
    [[nodiscard]] std::string best(const std::string& column,
                                   bool (*counts)(std::string_view)) const;
    [[nodiscard]] std::size_t cell_width() const;
    [[nodiscard]] std::string line(const std::string& row) const;
    [[nodiscard]] std::string against(std::string_view label,
                                      bool (*counts)(std::string_view)) const;

    std::string title_;
    std::string unit_;
    std::string compared_to_;
    std::vector<std::string> rows_;
    std::vector<std::string> columns_;
    std::map<std::pair<std::string, std::string>, double> values_;
};

} // namespace resident::bench
