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
class result_table {
public:
    explicit result_table(std::string_view title) : title_(title) {}

    /// Rows and columns appear in the order in which they are named first.
    void set(std::string_view row, std::string_view column, double nanoseconds);

    [[nodiscard]] std::string text() const;

private:
    [[nodiscard]] std::optional<double> value(const std::string& row,
                                              const std::string& column) const;
    [[nodiscard]] std::optional<double> best_other(const std::string& column) const;
    [[nodiscard]] std::string line(const std::string& row) const;
    [[nodiscard]] std::string against_best_other() const;

    std::string title_;
    std::vector<std::string> rows_;
    std::vector<std::string> columns_;
    std::map<std::pair<std::string, std::string>, double> values_;
};

} // namespace resident::bench
