#include "support/result_table.hpp"

#include "tool/text_layout.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>

namespace resident::bench {

namespace {

constexpr std::string_view ours = "resident";
constexpr std::size_t label_width = 11;
constexpr std::size_t least_cell_width = 11; // a time and a ratio; a name may fill it
constexpr std::size_t most_columns = 6;
static_assert(label_width + most_columns * least_cell_width <= tool::text_width);

/// Not an allocator, or one that does less: what the others cannot be expected to reach.
bool is_bound(std::string_view row) {
    return row == "ref" || row == "one thread" || row == "no heap";
}

bool is_other(std::string_view row) { return !is_bound(row) && row != ours; }

/// The general-purpose allocators: free memory serves every size.
bool is_malloc(std::string_view row) {
    return row == "glibc" || row == "je on arena" ||
           (row.ends_with("malloc") && row != "std malloc");
}

/// Three significant digits, or all before the point, which may be that of thousands;
/// right-aligned.
std::string number(double value, int width, const char* after = "") {
    if (value >= 99'999.5) {
        return number(value / 1000, width - 1, "k");
    }
    std::array<char, 32> text{};
    const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    std::snprintf(text.data(), text.size(), "%*.*f%s", width, decimals, value, after);
    return text.data();
}

std::string left(std::string_view text) {
    std::string padded{text};
    padded.resize(std::max(padded.size(), label_width), ' ');
    return padded;
}

std::string right(const std::string& text, std::size_t width) {
    const std::size_t size = std::min(text.size(), width);
    return std::string(width - size, ' ') + text;
}

std::string line_of(std::string text) {
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
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

std::optional<double> result_table::value(std::string_view row, const std::string& column) const {
    const auto found = values_.find({std::string{row}, column});
    return found == values_.end() ? std::nullopt : std::optional{found->second};
}

std::string result_table::best(const std::string& column, bool (*counts)(std::string_view)) const {
    std::string found;
    double least = std::numeric_limits<double>::max();
    for (const std::string& row : rows_) {
        if (const auto time = value(row, column); counts(row) && time && *time < least) {
            least = *time;
            found = row;
        }
    }
    return found;
}

/// With a space between names that fill their cells where the line has room for it.
std::size_t result_table::cell_width() const {
    const std::size_t wider = least_cell_width + 1;
    return label_width + columns_.size() * wider <= tool::text_width ? wider : least_cell_width;
}

std::string result_table::line(const std::string& row) const {
    std::string text = left(row);
    for (const std::string& column : columns_) {
        const auto time = value(row, column);
        const auto reference = value(compared_to_, column);
        std::string cell = time ? number(*time, 5) : "    -";
        cell += time && reference && row != compared_to_ ? number(*time / *reference, 5, "x")
                                                         : "      ";
        text += right(cell, cell_width());
    }
    return line_of(text);
}

std::string result_table::against(std::string_view label, bool (*counts)(std::string_view)) const {
    std::string names = left(label);
    std::string ratios = left("  resident");
    for (const std::string& column : columns_) {
        const std::string rival = best(column, counts);
        const auto time = value(ours, column);
        const auto its_time = value(rival, column);
        names += right(rival, cell_width());
        ratios += right(time && its_time ? number(*time / *its_time, 0, "x") : "", cell_width());
    }
    // A filter may have left no rival.
    return names == left(label) + std::string(cell_width() * columns_.size(), ' ')
               ? ""
               : line_of(names) + line_of(ratios);
}

std::string result_table::text() const {
    std::string heads = left("");
    for (const std::string& column : columns_) {
        heads += right(column, cell_width());
    }
    std::string text =
        title_ + "\n" + unit_ + ", and times " + compared_to_ + "\n" + line_of(heads);
    for (const std::string& row : rows_) {
        text += line(row);
    }
    if (std::find(rows_.begin(), rows_.end(), ours) != rows_.end()) {
        if (!is_bound(compared_to_)) {
            text += against("bound", is_bound);
        }
        text += against("best other", is_other) + against("best malloc", is_malloc);
    }
    return text + "\n";
}

} // namespace resident::bench
