/// A text for the containers of the pressure benchmark: the same on every machine.
#pragma once

#include "random.hpp"

#include <cstdint>
#include <string>

namespace resident::bench {

/// 800 records of some 900 bytes, separated by blank lines, with lines as long as those of a
/// package database: mostly short, now and then one of several hundred bytes.
[[nodiscard]] inline std::string generated_records() {
    random_stream random{20};
    std::string text;
    for (int record = 0; record != 800; ++record) {
        text += "Package: package-" + std::to_string(record) + "\n";
        for (std::uint32_t line = 6 + random.below(16); line != 0; --line) {
            const std::uint32_t length =
                random.below(16) == 0 ? 200 + random.below(600) : 8 + random.below(56);
            text += "Field: ";
            for (std::uint32_t place = 0; place != length; ++place) {
                text += static_cast<char>('a' + random.below(26));
            }
            text += "\n";
        }
        text += "\n";
    }
    return text;
}

} // namespace resident::bench
