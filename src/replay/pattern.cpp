#include "replay/pattern.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace resident::replay {
namespace {

/// Words that no two events share, and that plain data does not look like.
constexpr std::uint64_t mark = 0xA5C3'0000'0000'0000;
constexpr std::uint64_t mark_mask = 0xFFFF'0000'0000'0000;

constexpr std::uint64_t word_of(std::uint64_t event) noexcept {
    return mark | (event & ~mark_mask);
}

/// Whose word lies at a multiple of 8 of another block is not known: it may begin at any byte.
std::uint64_t event_in(const std::byte* bytes, std::size_t count, std::uint64_t last) noexcept {
    for (std::size_t place = 0; place + 8 <= std::min<std::size_t>(count, 15); ++place) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes + place, sizeof word);
        if ((word & mark_mask) == mark && (word & ~mark_mask) <= last)
            return word & ~mark_mask;
    }
    return 0;
}

} // namespace

void fill_with_pattern(std::byte* block, std::size_t bytes, std::uint64_t event) noexcept {
    const std::uint64_t word = word_of(event);
    std::size_t place = 0;
    for (; place + sizeof word <= bytes; place += sizeof word)
        std::memcpy(block + place, &word, sizeof word);
    std::memcpy(block + place, &word, bytes - place);
}

pattern_check check_pattern(const std::byte* block, std::size_t bytes, std::uint64_t event,
                            std::uint64_t last_event) noexcept {
    const std::uint64_t word = word_of(event);
    std::size_t place = 0;
    for (; place + sizeof word <= bytes; place += sizeof word) {
        std::uint64_t found = 0;
        std::memcpy(&found, block + place, sizeof found);
        if (found != word)
            break;
    }
    const auto* const expected = reinterpret_cast<const std::byte*>(&word); // NOLINT: its bytes
    for (; place < bytes; ++place) {
        if (block[place] != expected[place % sizeof word])
            return {.intact = false,
                    .offset = place,
                    .other_event =
                        event_in(block + place / 8 * 8, bytes - place / 8 * 8, last_event)};
    }
    return {};
}

std::size_t promised_alignment(std::size_t bytes, std::uint8_t alignment_log2) noexcept {
    if (alignment_log2 != malloc_alignment)
        return std::size_t{1} << alignment_log2;
    constexpr std::size_t promised = alignof(std::max_align_t);
    return bytes >= promised ? promised : std::bit_floor(std::max<std::size_t>(bytes, 1));
}

} // namespace resident::replay
