/// Times and sizes as people write them: always with their unit.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace resident::tool {

/// Reads "10s", "500ms", "1.5s", "250us", "2m", "1h", "300ns".
/// Throws: `std::invalid_argument` that names the text and a remedy if and only if it is no such
/// time: no unit, an unknown one, negative, or beyond 24 hours.
[[nodiscard]] std::chrono::nanoseconds parse_duration(std::string_view text);

/// Reads "64MiB", "512KiB", "1GiB", "4096B". Throws: likewise; also if it does not fit in size_t.
[[nodiscard]] std::size_t parse_size(std::string_view text);

/// As short as it is exact: "10s", "1ms", "1.5s".
[[nodiscard]] std::string exact_duration(std::chrono::nanoseconds duration);

/// Three significant digits: "812ns", "24.1µs", "8.25ms", "1.02s".
[[nodiscard]] std::string short_duration(std::uint64_t nanoseconds);

/// "4 MiB", "69.3 MiB", "812 KiB".
[[nodiscard]] std::string short_size(std::size_t bytes);

/// "8 147": digits in groups of three, so that thousands are seen at once.
[[nodiscard]] std::string grouped(std::uint64_t number);

/// `count` and the noun, in the plural by adding an s unless `count` is 1.
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view noun);

} // namespace resident::tool
