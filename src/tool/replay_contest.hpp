/// Replaying a trace on contestants, in turns.
#pragma once

#include "os/harness/termination_signals.hpp"
#include "tool/progress_line.hpp"
#include "tool/replay_result.hpp"
#include "tool/replay_turn.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace resident::tool {

/// First verifies, samples instructions and sees whether the trace fits, each contestant by itself;
/// then measures in rounds, each beginning with another contestant. Each turn is a new process.
/// Where threads meet in a way for which the capacity that was found is not enough, all begins anew
/// on more: such a refusal says nothing of the trace.
class replay_contest {
public:
    /// Adds to `result.contestants`, which are there with `who` alone; may make the capacity grow.
    replay_contest(replay_result& result, os::termination_signals& signals,
                   progress_line& progress);

    /// Throws: as replay_turn::run.
    void run();

private:
    void take_all_turns();
    [[nodiscard]] bool outgrew_capacity() const;
    void grow();
    turn_result take_turn(const replay_figures& row, replay_mode mode, const char* doing);
    void verify(replay_figures& row);
    void sample(replay_figures& row);
    void measure(replay_figures& row);
    bool note_end(replay_figures& row, const turn_result& turn, const char* doing);
    [[nodiscard]] std::uint64_t roomy_capacity() const;
    [[nodiscard]] static bool goes_on(const replay_figures& row);

    replay_result& result_;
    progress_line& progress_;
    std::string doing_;
    replay_turn turn_;
    std::uint64_t roomy_capacity_ = 0; ///< of contestants with room to spare, bytes
    std::size_t turns_ = 0;
    std::size_t turns_taken_ = 0;
};

} // namespace resident::tool
