/// Text for terminals of 80 columns, in the characters and colours they have.
#pragma once

#include <string>
#include <string_view>

namespace resident::tool {

inline constexpr std::size_t text_width = 79;

/// What the reader of standard output can show.
struct text_abilities {
    bool colour = false;  ///< a terminal, and NO_COLOR is not set
    bool unicode = false; ///< the locale is UTF-8
};
[[nodiscard]] text_abilities abilities_of_output();

/// ASCII for the few other characters that the reports use, if they cannot be shown.
[[nodiscard]] std::string in_characters_of(const text_abilities& abilities, std::string text);

enum class emphasis { none, strong, good, bad };
/// The text between escape sequences, if there is colour. Pad before, not after.
[[nodiscard]] std::string emphasise(const text_abilities& abilities, emphasis how,
                                    std::string_view text);

/// `label`, then `text` broken at blanks so that no line is longer than text_width; lines after the
/// first begin under the beginning of the text. Ends with a line end.
[[nodiscard]] std::string wrap(std::string_view label, std::string_view text);

} // namespace resident::tool
