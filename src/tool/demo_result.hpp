/// All that a run of the demo has found out; every report is made from this alone.
#pragma once

#include "tool/contestants.hpp"
#include "tool/demo_options.hpp"
#include "tool/latency_histogram.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace resident::tool {

/// What shows how far one round lies from another; nanoseconds.
struct contest_round {
    std::uint64_t p50 = 0;
    std::uint64_t p99 = 0;
    std::uint64_t p999 = 0;
    std::uint64_t longest = 0;
};

/// One contestant's rounds, added up.
struct contest_result {
    const contestant* who = nullptr;
    bool measured = false; ///< all rounds; otherwise `reason` says why not
    std::string reason;
    std::vector<contest_round> rounds; ///< those that came to their end
    latency_histogram work;
    std::uint64_t minor_faults = 0;
    std::uint64_t major_faults = 0;
    std::uint64_t missed_periods = 0;
    std::uint64_t locked_bytes = 0;   ///< the most of any round
    std::uint64_t passed_records = 0; ///< to the second thread, since warming up
    int scheduling_error = 0;         ///< errno of asking for SCHED_FIFO; 0 if it was given or not
    bool real_time = false;           ///< it was given
    bool harness_locked = true;
    std::string page_kind; ///< of the arena

    [[nodiscard]] std::uint64_t faults() const noexcept { return minor_faults + major_faults; }
};

/// What the containers were given to hold.
struct workload {
    std::string input;
    std::size_t input_records = 0;
    std::size_t input_bytes = 0;
    std::size_t input_total_bytes = 0; ///< more than input_bytes if the input was capped
    std::size_t cut_records = 0;
    std::size_t kept_records = 0;
    std::size_t arena_capacity = 0;
};

/// The state of the pressure.
struct pressure_state {
    bool active = false;
    std::string reason; ///< why it is not
    std::size_t cgroup_limit = 0;
    std::size_t hog_bytes = 0;
    std::string swap; ///< where pages went
};

struct demo_result {
    demo_options options;
    unsigned rounds = 0;
    std::vector<std::pair<std::string, std::string>> machine; ///< name and value
    workload load;
    pressure_state pressure;
    std::vector<contest_result> contestants;
    std::string started; ///< UTC, ISO 8601

    /// The rows on an arena; there always is one.
    [[nodiscard]] std::vector<const contest_result*> arena_rows() const;
    /// Whether the demo shows what it is meant to: all of these were measured, without a fault.
    [[nodiscard]] bool holds() const;
};

} // namespace resident::tool
