/// What came of a replay on all contestants.
#pragma once

#include "tool/latency_histogram.hpp"
#include "tool/replay_options.hpp"
#include "tool/replay_turn.hpp"
#include "tool/trace_input.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace resident::tool {

/// One contestant's figures.
struct replay_figures {
    const replay_contestant* who = nullptr;
    std::string missing{}; ///< why nothing was measured; empty if it was
    std::string broken{};  ///< what verification found, or how a pass died; empty if all was well
    bool verified = false;
    std::optional<bool> fits{};         ///< in the capacity; none if nobody asked
    replay::finding refusal{};          ///< the first refused request
    std::uint64_t live_at_refusal = 0;  ///< bytes requested
    std::vector<double> ns_per_event{}; ///< of each repetition
    std::vector<replay::execution> runs{};
    std::uint64_t memory_held = 0; ///< the most of all repetitions, bytes
    std::uint64_t arena_bytes = 0; ///< resident; 0 without an arena
    bool arena_locked = false;
    std::string page_kind{};
    std::string not_sampled{}; ///< why no instructions were counted
    sampled_calls allocations{};
    sampled_calls frees{};

    /// Effects: forgets all turns; one that found it broken stays.
    void begin_anew();
    [[nodiscard]] bool measured() const noexcept { return !ns_per_event.empty(); }
    /// What it held at the peak says something: a heap that was grown ahead holds all of it.
    [[nodiscard]] bool tells_peak() const noexcept { return measured() && !who->is_locked_malloc; }
    [[nodiscard]] double median_ns() const;
    /// Half of what lies between the fastest and the slowest repetition, as a share of the median.
    [[nodiscard]] double spread() const;
    [[nodiscard]] std::uint64_t minor_faults() const; ///< median of the repetitions
    [[nodiscard]] std::uint64_t major_faults() const; ///< the same
};

struct replay_result {
    replay_options options;
    trace_input input;
    std::size_t capacity = 0;  ///< of the arena
    std::string capacity_from; ///< "--capacity", or how it was found
    /// Of the pool, if the capacity is to grow where it is not enough: it was found, and for
    /// threads, which meet in another way each time. Else 0.
    std::size_t growing_lanes = 0;
    /// What was found to be enough, if a turn was refused on it: `capacity` has grown since. Else
    /// 0.
    std::size_t outgrown_capacity = 0;
    std::vector<replay_figures> contestants{};
    std::vector<std::pair<std::string, std::string>> machine{};
    latency_histogram noise{}; ///< of the clock
    std::string started{};

    /// Whether nothing is broken, and the trace fits ours, if it was asked for.
    [[nodiscard]] bool holds() const;
};

/// What is wrong with a block, for people.
[[nodiscard]] std::string describe(const replay::finding& flaw);

} // namespace resident::tool
