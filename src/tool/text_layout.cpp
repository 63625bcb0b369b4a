#include "tool/text_layout.hpp"

#include "os/harness/terminal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace resident::tool {
namespace {

bool is_set(const char* variable) {
    const char* value = std::getenv(variable);
    return value != nullptr && *value != '\0';
}

/// As the C library decides: the first of these that is set counts.
bool locale_is_utf8() {
    for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        if (!is_set(variable))
            continue;
        std::string value = std::getenv(variable);
        std::transform(value.begin(), value.end(), value.begin(), [](unsigned char letter) {
            return static_cast<char>(std::tolower(letter));
        });
        return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
    }
    return false;
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 14> ascii_twins{{
    {"µ", "u"},
    {"─", "-"},
    {"┊", "|"},
    {"└", "+"},
    {"┴", "+"},
    {"▁", "."},
    {"▂", "."},
    {"▃", ":"},
    {"▄", ":"},
    {"▅", "="},
    {"▆", "="},
    {"▇", "#"},
    {"█", "#"},
    {"×", "x"},
}};

/// Columns of UTF-8 text: all bytes but the continuing ones.
std::size_t columns_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char byte) { return (byte & '\xc0') != '\x80'; }));
}

} // namespace

text_abilities abilities_of_output() {
    return {.colour = os::output_is_terminal() && !is_set("NO_COLOR"), .unicode = locale_is_utf8()};
}

std::string in_characters_of(const text_abilities& abilities, std::string text) {
    if (abilities.unicode)
        return text;
    for (const auto& [from, to] : ascii_twins) {
        for (std::size_t place = text.find(from); place != std::string::npos;
             place = text.find(from, place)) {
            text.replace(place, from.size(), to);
        }
    }
    return text;
}

std::string emphasise(const text_abilities& abilities, emphasis how, std::string_view text) {
    if (!abilities.colour || how == emphasis::none)
        return std::string(text);
    const int code = how == emphasis::strong ? 1 : how == emphasis::good ? 32 : 31;
    return fmt::format("\033[{}m{}\033[0m", code, text);
}

std::string wrap(std::string_view label, std::string_view text) {
    const std::size_t indent = columns_of(label);
    std::string wrapped(label);
    std::size_t column = indent;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of(" \n"), text.size());
        const std::string_view word = text.substr(0, end);
        const bool first_in_line = column == indent;
        if (!first_in_line && column + 1 + columns_of(word) > text_width) {
            wrapped += '\n' + std::string(indent, ' ');
            column = indent;
        } else if (!first_in_line) {
            wrapped += ' ';
            ++column;
        }
        wrapped += word;
        column += columns_of(word);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return wrapped + '\n';
}

} // namespace resident::tool
