#include "support/result_table.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>

namespace resident::bench {

namespace {

constexpr const char* bound = "ref";
constexpr const char* ours = "resident";

/// Three significant digits, or all before the point; right-aligned.
std::string number(double value, int width, const char* after = "") {
    std::array<char, 32> text{};
    const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    std::snprintf(text.data(), text.size(), "%*.*f%s", width, decimals, value, after);
    return text.data();
}

std::string left(std::string_view text) {
    std::array<char, 32> padded{};
    std::snprintf(padded.data(), padded.size(), "%-10.*s", static_cast<int>(text.size()),
                  text.data());
    return padded.data();
}

void remember(std::vector<std::string>& names, std::string_view name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
        names.emplace_back(name);
    }
}

} // namespace

void result_table::set(std::string_view row, std::string_view column, double nanoseconds) {
    remember(rows_, row);
    remember(columns_, column);
    values_[{std::string{row}, std::string{column}}] = nanoseconds;
}

std::optional<double> result_table::value(const std::string& row, const std::string& column) const {
    const auto found = values_.find({row, column});
    return found == values_.end() ? std::nullopt : std::optional{found->second};
}

std::optional<double> result_table::best_other(const std::string& column) const {
    double best = std::numeric_limits<double>::max();
    for (const std::string& row : rows_) {
        if (row != bound && row != ours) {
            best = std::min(best, value(row, column).value_or(best));
        }
    }
    return best == std::numeric_limits<double>::max() ? std::nullopt : std::optional{best};
}

std::string result_table::line(const std::string& row) const {
    std::string text = left(row);
    for (const std::string& column : columns_) {
        const auto time = value(row, column);
        const auto reference = value(bound, column);
        text += time ? number(*time, 5) : "    -";
        text += time && reference && row != bound ? number(*time / *reference, 5, "x") : "      ";
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
}

std::string result_table::against_best_other() const {
    std::string text = left("best other");
    for (const std::string& column : columns_) {
        const auto time = value(ours, column);
        const auto best = best_other(column);
        text += best ? number(*best, 5) : "    -";
        text += best && time ? number(*time / *best, 5, "x") : "      ";
    }
    return text + "  resident takes\n";
}

std::string result_table::text() const {
    std::string text = title_ + "\n" + std::string(10, ' ');
    for (const std::string& column : columns_) {
        std::array<char, 32> head{};
        std::snprintf(head.data(), head.size(), "%11s", column.c_str());
        text += head.data();
    }
    text += "\n";
    for (const std::string& row : rows_) {
        text += line(row);
    }
    if (std::find(rows_.begin(), rows_.end(), ours) != rows_.end()) {
        text += against_best_other();
    }
    return text + "\n";
}

} // namespace resident::bench
