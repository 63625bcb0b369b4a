#include "tool/quantity_option.hpp"

#include "resident/arena.hpp"
#include "tool/quantities.hpp"

#include <fmt/core.h>

#include <charconv>

namespace resident::tool {

std::size_t parse_capacity(const std::string& text) {
    const std::size_t capacity = parse_size(text);
    if (capacity != 0 && capacity % arena::granule_size == 0)
        return capacity;
    throw std::invalid_argument(
        fmt::format("'{}' is not a multiple of {} above 0; write for example 16MiB", text,
                    short_size(arena::granule_size)));
}

std::uint64_t parse_count(const std::string& text, std::uint64_t least, std::uint64_t most) {
    std::uint64_t count = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, failure] = std::from_chars(text.data(), end, count);
    if (failure == std::errc() && rest == end && count >= least && count <= most)
        return count;
    throw std::invalid_argument(
        fmt::format("'{}' is not a number from {} to {}", text, least, most));
}

} // namespace resident::tool
