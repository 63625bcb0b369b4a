#include "tool/replay_contest.hpp"

#include "resident/size_literals.hpp"
#include "tool/capacity_search.hpp"
#include "tool/quantities.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace resident::tool {

replay_contest::replay_contest(replay_result& result, os::termination_signals& signals,
                               progress_line& progress)
    : result_(result), progress_(progress),
      turn_(result.input, signals, [this](std::uint64_t events) {
          const auto all = static_cast<double>(result_.input.summary.events);
          const double share = (static_cast<double>(turns_taken_) +
                                static_cast<double>(events) / std::max(all, 1.0)) /
                               static_cast<double>(turns_);
          progress_.show(fmt::format("[{:3.0f} %] {}", share * 100, doing_));
      }) {}

void replay_contest::run() {
    for (take_all_turns(); outgrew_capacity(); take_all_turns()) {
        grow();
        for (replay_figures& row : result_.contestants)
            row.begin_anew();
    }
}

/// Where there is no memory for more, a refusal is the answer after all.
void replay_contest::grow() {
    const std::size_t more = more_for_threads(result_.capacity, result_.growing_lanes);
    if (!has_memory_for(more)) {
        result_.growing_lanes = 0;
        return;
    }
    if (result_.outgrown_capacity == 0)
        result_.outgrown_capacity = result_.capacity;
    result_.capacity = more;
}

bool replay_contest::outgrew_capacity() const {
    return result_.growing_lanes != 0 &&
           std::ranges::any_of(result_.contestants, [](const replay_figures& row) {
               return row.who->is_arena && row.refusal.what != replay::finding::kind::none;
           });
}

/// Or those until the capacity is outgrown.
void replay_contest::take_all_turns() {
    const replay_options& options = result_.options;
    std::vector<replay_figures>& rows = result_.contestants;
    roomy_capacity_ = roomy_capacity();
    turns_taken_ = 0;
    turns_ = rows.size() *
             (options.repetitions + (options.verify ? 1 : 0) + (options.samples != 0 ? 1 : 0));
    for (replay_figures& row : rows) {
        if (outgrew_capacity())
            return;
        if (row.who->not_here != nullptr)
            row.missing = row.who->not_here;
        if (options.verify && !row.who->is_control && goes_on(row))
            verify(row);
        if (options.samples == 0 || row.who->is_control)
            continue;
        if (goes_on(row))
            sample(row);
        else
            row.not_sampled = "it did not come to that";
    }
    for (std::uint64_t round = 0; round < options.repetitions; ++round) {
        for (std::size_t turn = 0; turn < rows.size(); ++turn) {
            replay_figures& row = rows[(turn + round) % rows.size()];
            if (outgrew_capacity())
                return;
            if (goes_on(row))
                measure(row);
        }
    }
}

/// Enough for pools that keep memory for each size and grow by doubling, if there is that much.
std::uint64_t replay_contest::roomy_capacity() const {
    std::uint64_t roomy = 4 * result_.input.summary.peak_bytes + 32_MiB;
    while (roomy > 2 * result_.capacity && !has_memory_for(roomy))
        roomy /= 2;
    return (roomy / 64_KiB + 1) * 64_KiB;
}

bool replay_contest::goes_on(const replay_figures& row) {
    return row.missing.empty() && row.broken.empty() &&
           row.refusal.what == replay::finding::kind::none;
}

turn_result replay_contest::take_turn(const replay_figures& row, replay_mode mode,
                                      const char* doing) {
    doing_ = fmt::format("{}: {}", row.who->name, doing);
    progress_.show(
        fmt::format("[{:3.0f} %] {}",
                    100 * static_cast<double>(turns_taken_) / static_cast<double>(turns_), doing_));
    const replay_options& options = result_.options;
    turn_result turn = turn_.run(
        {.who = row.who,
         .mode = mode,
         .arena_capacity = row.who->has_roomy_arena || row.who->is_locked_malloc ? roomy_capacity_
                                                                                 : result_.capacity,
         .lock = options.lock,
         .samples = options.samples});
    ++turns_taken_;
    return turn;
}

/// Returns: whether the turn served every request.
bool replay_contest::note_end(replay_figures& row, const turn_result& turn, const char* doing) {
    if (turn.refusal().what != replay::finding::kind::none) {
        row.refusal = turn.refusal();
        row.live_at_refusal = turn.live_bytes_at_refusal;
        if (row.who->is_arena || result_.options.capacity != 0)
            row.fits = false;
        return false;
    }
    if (turn.finished())
        return true;
    if (turn.events == 0 && turn.outcome.execution.nanoseconds == 0 && !turn.died) {
        row.missing = turn.reason; // it did not come to the first event
    } else {
        row.broken = fmt::format("{} while it was {}", turn.reason, doing);
    }
    return false;
}

void replay_contest::verify(replay_figures& row) {
    const turn_result turn = take_turn(row, replay_mode::verify, "verifying");
    if (turn.flaw().what != replay::finding::kind::none) {
        row.broken = describe(turn.flaw());
        return;
    }
    if (!note_end(row, turn, "verified"))
        return;
    if (turn.outcome.execution.left_in_use != 0) {
        row.broken = fmt::format("{} are in use after every block was freed",
                                 short_size(turn.outcome.execution.left_in_use));
        return;
    }
    row.verified = true;
}

void replay_contest::sample(replay_figures& row) {
    if (row.who->not_stepped != nullptr) {
        row.not_sampled = row.who->not_stepped;
        return;
    }
    const turn_result turn = take_turn(row, replay_mode::sample, "counting instructions");
    if (turn.refusal().what != replay::finding::kind::none) {
        row.not_sampled = "a request was refused";
        (void)note_end(row, turn, "sampled");
        return;
    }
    if (!turn.finished()) {
        row.not_sampled = turn.reason;
        return;
    }
    row.allocations = turn.outcome.allocations;
    row.frees = turn.outcome.frees;
}

void replay_contest::measure(replay_figures& row) {
    const turn_result turn = take_turn(row, replay_mode::measure, "measuring");
    row.arena_bytes = turn.outcome.arena_bytes;
    row.arena_locked = turn.outcome.arena_locked;
    row.page_kind = turn.outcome.page_kind.data();
    if (!note_end(row, turn, "measured")) {
        row.ns_per_event.clear(); // a run that was cut short is no figure
        return;
    }
    row.runs.push_back(turn.outcome.execution);
    row.ns_per_event.push_back(static_cast<double>(turn.outcome.execution.nanoseconds) /
                               static_cast<double>(result_.input.summary.calls()));
    if (!row.tells_peak())
        return;
    row.memory_held = std::max(row.memory_held, turn.outcome.memory_held);
    // What was found to be enough for ours is no measure of the others.
    if (row.who->is_arena)
        row.fits = true;
    else if (result_.options.capacity != 0)
        row.fits = row.memory_held <= result_.capacity;
}

} // namespace resident::tool
