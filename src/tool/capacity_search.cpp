#include "tool/capacity_search.hpp"

#include "os/headroom.hpp"
#include "resident/arena.hpp"
#include "tool/quantities.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace resident::tool {
namespace {

/// How many lanes there are in the end, and which of them begins another slab, depends on how the
/// threads meet: the state of one, and a slab.
constexpr std::size_t share_of_a_lane = 32_KiB;

std::size_t whole_granules(std::size_t bytes) noexcept {
    return (bytes + arena::granule_size - 1) / arena::granule_size * arena::granule_size;
}

class capacity_search {
public:
    capacity_search(replay_turn& turn, const capacity_range& range,
                    const std::function<void(unsigned, std::size_t)>& told)
        : turn_(turn), range_(range), told_(told) {
        found_.too_small =
            whole_granules(std::max<std::size_t>(range.least, 1)) - arena::granule_size;
    }

    found_capacity run() {
        if (grow() && bisect()) {
            found_.capacity = found_.least_fitting;
            if (range_.lanes != 0)
                confirm();
        }
        return std::move(found_);
    }

private:
    /// What one replay found; `failed` has told why.
    enum class verdict { fits, too_small, failed };

    verdict replay(std::size_t capacity) {
        if (!has_memory_for(capacity)) {
            found_.failure = fmt::format("it would need more than an arena of {}, and one of {} "
                                         "takes more than half of the memory left",
                                         short_size(found_.too_small), short_size(capacity));
            return verdict::failed;
        }
        const turn_result result = turn_.run({.who = find_replay_contestant("resident"),
                                              .mode = replay_mode::fit,
                                              .arena_capacity = capacity,
                                              .lock = false});
        if (result.refusal().what != replay::finding::kind::none)
            return verdict::too_small;
        if (!result.finished()) {
            found_.failure = result.reason;
            return verdict::failed;
        }
        peak_held_ = result.outcome.memory_held;
        return verdict::fits;
    }

    verdict search(std::size_t capacity) {
        told_(++found_.tries, capacity);
        const verdict found = replay(capacity);
        if (found == verdict::too_small)
            found_.too_small = capacity;
        if (found == verdict::fits) {
            found_.least_fitting = capacity;
            found_.peak_held = peak_held_;
        }
        return found;
    }

    /// Returns, as bisect(): whether the search can go on.
    bool grow() {
        std::size_t next =
            std::max(whole_granules(range_.guess), found_.too_small + arena::granule_size);
        verdict found = search(next);
        while (found == verdict::too_small) {
            next = whole_granules(next + next / 4);
            found = search(next);
        }
        return found == verdict::fits;
    }

    bool bisect() {
        const std::size_t resolution =
            std::max(whole_granules(range_.resolution), arena::granule_size);
        while (found_.least_fitting - found_.too_small > resolution &&
               found_.tries < range_.most_tries) {
            const std::size_t steps =
                (found_.least_fitting - found_.too_small) / arena::granule_size;
            if (search(found_.too_small + steps / 2 * arena::granule_size) == verdict::failed)
                return false;
        }
        return true;
    }

    void confirm() {
        std::size_t& capacity = found_.capacity;
        do
            capacity = more_for_threads(capacity, range_.lanes);
        while (found_.failure.empty() && !is_confirmed());
    }

    /// Whether all is served at the capacity and at what lies a little above.
    bool is_confirmed() {
        const std::size_t capacity = found_.capacity;
        const std::array<std::size_t, 5> trials{capacity, capacity, capacity,
                                                whole_granules(capacity + capacity / 16),
                                                whole_granules(capacity + capacity / 8)};
        found_.confirmations = 0;
        for (const std::size_t trial : trials) {
            told_(found_.tries + ++found_.confirmations, trial);
            if (replay(trial) != verdict::fits)
                return false;
        }
        return true;
    }

    replay_turn& turn_;
    const capacity_range& range_;
    const std::function<void(unsigned, std::size_t)>& told_;
    found_capacity found_{};
    std::size_t peak_held_ = 0; ///< of the last replay that fitted
};

} // namespace

bool has_memory_for(std::size_t capacity) noexcept {
    return !os::check_populate_headroom(2 * capacity).refused;
}

std::size_t more_for_threads(std::size_t capacity, std::size_t lanes) noexcept {
    return capacity + std::max(whole_granules(capacity / 8), lanes * share_of_a_lane);
}

found_capacity
find_capacity(replay_turn& turn, const capacity_range& range,
              const std::function<void(unsigned attempt, std::size_t capacity)>& told) {
    return capacity_search(turn, range, told).run();
}

} // namespace resident::tool
