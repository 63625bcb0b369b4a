/// Options whose values have units, for every command.
#pragma once

#include <CLI/CLI.hpp>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace resident::tool {

/// An option whose text is read by `parse`, which throws std::invalid_argument.
template <class Value, class Parse>
CLI::Option* add_quantity(CLI::App& command, const std::string& names, Value& value,
                          const std::string& type, const std::string& what, Parse parse) {
    const auto read = [&value, parse](const std::string& text) { value = parse(text); };
    return command
        .add_option_function<std::string>(
            names,
            [names, read](const std::string& text) {
                try {
                    read(text);
                } catch (const std::invalid_argument& why) {
                    throw CLI::ValidationError(names, why.what());
                }
            },
            what)
        ->type_name(type);
}

/// Of an arena. Throws: `std::invalid_argument` if and only if it is no size above 0 in whole
/// granules.
[[nodiscard]] std::size_t parse_capacity(const std::string& text);

/// Throws: `std::invalid_argument` if and only if it is no whole number from `least` to `most`.
[[nodiscard]] std::uint64_t parse_count(const std::string& text, std::uint64_t least,
                                        std::uint64_t most);

} // namespace resident::tool
