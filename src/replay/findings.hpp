/// What a replay finds wrong with a source of blocks.
#pragma once

#include "replay/operation.hpp"

#include <cstdint>

namespace resident::replay {

/// The first of its kind. Plain data: it crosses a process's border.
struct finding {
    enum class kind : std::uint8_t {
        none,
        no_room,     ///< the pool itself does not fit, before the first event
        refused,     ///< a request was refused
        misaligned,  ///< a block is not aligned as requested
        overwritten, ///< a block in use holds what was not written to it
    };
    kind what = kind::none;
    std::uint64_t event = 0;       ///< where it was found; 0: at the end of the trace
    std::uint64_t block_event = 0; ///< overwritten: the event that the block was handed out at
    std::uint64_t other_event = 0; ///< overwritten: whose block's pattern is there; 0: nobody's
    std::uint64_t address = 0;     ///< of the block
    std::uint64_t size = 0;        ///< requested
    std::uint64_t alignment = 0;   ///< requested, or promised by malloc
    std::uint64_t offset = 0;      ///< overwritten: the first byte
};

[[nodiscard]] inline finding refusal_of(const operation& now, std::uint64_t event) noexcept {
    return {.what = finding::kind::refused,
            .event = event,
            .size = now.size,
            .alignment = alignment_of(now.alignment_log2)};
}

/// Keeps the one that was found earlier in the trace; the end of the trace is after all events.
inline void note(finding& earliest, const finding& other) noexcept {
    if (other.what == finding::kind::none)
        return;
    if (earliest.what == finding::kind::none || other.event - 1 < earliest.event - 1)
        earliest = other;
}

} // namespace resident::replay
