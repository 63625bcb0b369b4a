#include "tool/quantities.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <span>
#include <stdexcept>
#include <utility>

namespace resident::tool {
namespace {

struct unit {
    std::string_view name;
    std::uint64_t factor;
};

constexpr std::array<unit, 7> time_units{{{"ns", 1},
                                          {"us", 1'000},
                                          {"µs", 1'000},
                                          {"ms", 1'000'000},
                                          {"s", 1'000'000'000},
                                          {"m", 60'000'000'000},
                                          {"h", 3'600'000'000'000}}};

constexpr std::array<unit, 5> size_units{{{"B", 1},
                                          {"KiB", std::uint64_t{1} << 10},
                                          {"MiB", std::uint64_t{1} << 20},
                                          {"GiB", std::uint64_t{1} << 30},
                                          {"TiB", std::uint64_t{1} << 40}}};

struct kind_of_quantity {
    std::string_view noun;     ///< "a time"
    std::string_view examples; ///< what to write instead
    std::span<const unit> units;
    double largest;
    std::string_view largest_text;
};

constexpr double largest_size = 1ULL << 62;

const kind_of_quantity times{"a time", "10s, 500ms, 250us or 2m", time_units, 86.4e12, "24h"};
const kind_of_quantity sizes{"a size", "64MiB, 512KiB or 1GiB", size_units, largest_size, "4 EiB"};

[[noreturn]] void refuse(std::string_view text, const kind_of_quantity& kind,
                         std::string_view what_is_wrong) {
    throw std::invalid_argument(fmt::format("'{}' is not {}: {}; write for example {}", text,
                                            kind.noun, what_is_wrong, kind.examples));
}

std::uint64_t parse(std::string_view text, const kind_of_quantity& kind) {
    double number = 0;
    const auto [rest, failure] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (failure != std::errc() || !std::isfinite(number)) {
        refuse(text, kind, "it does not begin with a number");
    }
    if (std::signbit(number))
        refuse(text, kind, "it is negative");
    const std::string_view name = text.substr(static_cast<std::size_t>(rest - text.data()));
    if (name.empty())
        refuse(text, kind, "it has no unit");
    for (const unit& candidate : kind.units) {
        if (candidate.name != name)
            continue;
        const double value = number * static_cast<double>(candidate.factor);
        if (value > kind.largest) {
            refuse(text, kind, fmt::format("it is more than {}", kind.largest_text));
        }
        return static_cast<std::uint64_t>(std::llround(value));
    }
    refuse(text, kind, fmt::format("'{}' is no unit", name));
}

/// Three significant digits, without zeros that say nothing.
std::string three_digits(double value) {
    const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    return fmt::format("{:.{}f}", value, decimals);
}

} // namespace

std::chrono::nanoseconds parse_duration(std::string_view text) {
    return std::chrono::nanoseconds(parse(text, times));
}

std::size_t parse_size(std::string_view text) { return parse(text, sizes); }

std::string exact_duration(std::chrono::nanoseconds duration) {
    const auto nanoseconds = static_cast<std::uint64_t>(duration.count());
    const unit* best = time_units.data();
    for (const unit& candidate : time_units) {
        if (candidate.factor < 60'000'000'000 && candidate.name != "us" &&
            nanoseconds >= candidate.factor) {
            best = &candidate;
        }
    }
    return fmt::format(
        "{:g}{}", static_cast<double>(nanoseconds) / static_cast<double>(best->factor), best->name);
}

std::string short_duration(std::uint64_t nanoseconds) {
    const auto value = static_cast<double>(nanoseconds);
    if (value < 999.5)
        return fmt::format("{}ns", nanoseconds);
    if (value < 999.5e3)
        return three_digits(value / 1e3) + "µs";
    if (value < 999.5e6)
        return three_digits(value / 1e6) + "ms";
    return three_digits(value / 1e9) + "s";
}

std::string short_size(std::size_t bytes) {
    const unit* best = size_units.data();
    for (const unit& candidate : size_units) {
        if (bytes >= candidate.factor)
            best = &candidate;
    }
    if (bytes % best->factor == 0)
        return fmt::format("{} {}", bytes / best->factor, best->name);
    return fmt::format("{} {}",
                       three_digits(static_cast<double>(bytes) / static_cast<double>(best->factor)),
                       best->name);
}

std::string grouped(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t place = text.size(); place > 3;) {
        place -= 3;
        text.insert(place, 1, ' ');
    }
    return text;
}

std::string counted(std::uint64_t count, std::string_view noun) {
    return fmt::format("{} {}{}", grouped(count), noun, count == 1 ? "" : "s");
}

} // namespace resident::tool
