/// Contestants whose calls are timed, in turn and round after round, each in a process of its own.
#pragma once

#include "support/part_file.hpp"
#include "support/timed_calls.hpp"
#include "support/verification.hpp"

#include <array>
#include <functional>
#include <string>
#include <vector>

namespace resident::bench {

struct timed_contestant {
    std::string name{};
    std::string what{};
    /// Asked once, before anything is timed; empty for what is no allocator.
    std::function<verdict()> verify{};
    /// In a child process; see time_calls_in_this_process().
    std::function<std::string(const call_clock&, const timed_calls_amount&)> measure{};
};

template <contestant C>
timed_contestant timed() {
    timed_contestant made{.name = C::name, .measure = time_calls_in_this_process<C>};
    if constexpr (requires { C::what; }) {
        made.what = C::what;
    }
    if constexpr (!requires { C::is_no_allocator; }) {
        made.verify = [] { return verify<C>(); };
    }
    return made;
}

/// Percentiles that a round has enough calls for.
inline constexpr std::array<double, 4> shares_of_a_round{0.5, 0.99, 0.999, 0.9999};

/// What one round says of one kind of calls.
struct round_summary {
    std::array<std::uint64_t, shares_of_a_round.size()> nanoseconds{};
    std::uint64_t largest = 0;
    faults faulted{};
};

struct timed_result {
    std::string name{};
    std::string what{};
    std::string refused{};       ///< why nothing was measured; empty if it was
    bool is_broken = false;      ///< it was not measured for what no allocator may do
    bool return_unknown = false; ///< whether it gives everything back, it does not tell
    call_times times{};          ///< of all rounds
    std::array<std::vector<round_summary>, timed_call_count> rounds{};
};

/// Effects: verifies every contestant, and leaves out those that fail. In each round each of the
/// others measures once; the round begins with another one each time. One that fails in a round is
/// left out from there on, and nothing of it is reported. `progress` is told what goes on.
std::vector<timed_result>
time_in_rounds(const std::vector<timed_contestant>& contestants, const timed_calls_amount& amount,
               int rounds, const std::function<void(const std::string&)>& progress = {});

/// The tables and curves, without what the program adds.
part_record latency_part(const std::vector<timed_result>& results);

/// The same for a reader at a terminal.
std::string latency_text(const std::vector<timed_result>& results);

/// Effects: writes a file for each contestant and kind of call into `folder`.
/// Returns: empty, or what could not be written.
std::string write_percentiles(const std::vector<timed_result>& results, const std::string& folder);

} // namespace resident::bench
