/// The content by which verification knows whose a byte is.
#pragma once

#include "replay/operation.hpp"

#include <cstddef>
#include <cstdint>

namespace resident::replay {

/// Effects: fills the block with the number of its event, over and over.
void fill_with_pattern(std::byte* block, std::size_t bytes, std::uint64_t event) noexcept;

struct pattern_check {
    bool intact = true;
    std::size_t offset = 0;        ///< of the first byte that differs
    std::uint64_t other_event = 0; ///< whose pattern stands there; 0 if it is none
};
/// Whether the first `bytes` hold the pattern of `event`. There are patterns up to `last_event`.
[[nodiscard]] pattern_check check_pattern(const std::byte* block, std::size_t bytes,
                                          std::uint64_t event, std::uint64_t last_event) noexcept;

/// The alignment that a block must have: the one asked for; where malloc was asked, that of every
/// object which fits into the block. (jemalloc, tcmalloc and mimalloc align blocks below 16 bytes
/// to 8.)
[[nodiscard]] std::size_t promised_alignment(std::size_t bytes,
                                             std::uint8_t alignment_log2) noexcept;

} // namespace resident::replay
