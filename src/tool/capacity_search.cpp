#include "tool/capacity_search.hpp"

#include "resident/arena.hpp"

#include <algorithm>

namespace resident::tool {
namespace {

std::size_t whole_granules(std::size_t bytes) noexcept {
    return (bytes + arena::granule_size - 1) / arena::granule_size * arena::granule_size;
}

} // namespace

found_capacity
find_capacity(replay_turn& turn, const capacity_range& range,
              const std::function<void(unsigned attempt, std::size_t capacity)>& told) {
    found_capacity found{.too_small = whole_granules(range.least) - arena::granule_size};
    const auto fits = [&](std::size_t capacity) {
        told(++found.tries, capacity);
        const turn_result result = turn.run({.who = find_replay_contestant("resident"),
                                             .mode = replay_mode::fit,
                                             .arena_capacity = capacity,
                                             .lock = false});
        if (!result.finished() && result.refusal().what == replay::finding::kind::none) {
            found.failure = result.reason;
            return false;
        }
        if (result.refusal().what != replay::finding::kind::none) {
            found.too_small = capacity;
            return false;
        }
        found.capacity = capacity;
        found.peak_held = result.outcome.memory_held;
        return true;
    };
    const std::size_t resolution = std::max(whole_granules(range.resolution), arena::granule_size);
    std::size_t next = std::max(whole_granules(range.guess), found.too_small + arena::granule_size);
    while (!fits(next)) {
        if (!found.failure.empty())
            return found;
        next = whole_granules(next + next / 4);
    }
    while (found.capacity - found.too_small > resolution && found.tries < range.most_tries) {
        const std::size_t steps = (found.capacity - found.too_small) / arena::granule_size;
        fits(found.too_small + steps / 2 * arena::granule_size);
        if (!found.failure.empty())
            return found;
    }
    return found;
}

} // namespace resident::tool
