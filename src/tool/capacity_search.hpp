/// The smallest arena on which a trace fits our pool, found by replaying it.
#pragma once

#include "tool/replay_turn.hpp"

#include <cstddef>
#include <functional>
#include <string>

namespace resident::tool {

struct capacity_range {
    std::size_t least = 0;      ///< bytes; less cannot be enough
    std::size_t guess = 0;      ///< to begin with
    std::size_t resolution = 0; ///< stop when what fits and what does not are this close
    unsigned most_tries = 0;
    std::size_t lanes = 0; ///< of a synchronized pool; 0 if the trace has one thread
};

struct found_capacity {
    std::string failure{};         ///< why nothing was found; empty if it was
    std::size_t capacity = 0;      ///< bytes; the trace fitted each time
    std::size_t least_fitting = 0; ///< the smallest on which it fitted; with threads by chance
    std::size_t too_small = 0;     ///< the next smaller that was tried, or known, not to be enough
    std::size_t peak_held = 0;     ///< by the pool, in the smallest fitting arena
    unsigned tries = 0;            ///< of the search
    unsigned confirmations = 0;    ///< with threads: replays on `capacity` and above, all served
};

/// Whether an arena of that many bytes is to be tried: not if it is more than half of the memory
/// that is left. Populating it would push out what else is at work here.
[[nodiscard]] bool has_memory_for(std::size_t capacity) noexcept;

/// Returns: what to try, bytes, where threads met in a way for which `capacity` was not enough: an
/// eighth more, and 32 KiB for each lane at least.
[[nodiscard]] std::size_t more_for_threads(std::size_t capacity, std::size_t lanes) noexcept;

/// Effects: replays the trace on unlocked arenas of different capacities, larger ones until it
/// fits, then by bisection. Threads meet in another way in each run, so that what fitted once need
/// not fit again, nor a longer arena: for them the capacity is more_for_threads(), and again so
/// until several replays on it, and some on a little more, are all served. Calls `told` before each
/// try. Fails, without a try, at an arena that it has no memory for.
[[nodiscard]] found_capacity
find_capacity(replay_turn& turn, const capacity_range& range,
              const std::function<void(unsigned attempt, std::size_t capacity)>& told);

} // namespace resident::tool
