/// One replay of a trace on one contestant, in a child process.
#pragma once

#include "os/harness/child_process.hpp"
#include "os/harness/shared_memory.hpp"
#include "os/harness/termination_signals.hpp"
#include "tool/replay_channel.hpp"
#include "tool/replay_contestants.hpp"
#include "tool/trace_input.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace resident::tool {

struct replay_task {
    const replay_contestant* who = nullptr;
    replay_mode mode = replay_mode::measure;
    std::uint64_t arena_capacity = 0; ///< bytes
    bool lock = true;
    std::uint64_t samples = 0;
};

/// What came of a turn.
struct turn_result {
    std::string reason{}; ///< why it did not come to an end; empty if it did
    /// It was ended by a signal; or ended, or did not go on, without a word after it had begun.
    bool died = false;
    replay_outcome outcome{};
    /// With a refusal: bytes requested that were in use before it, in the order of the trace.
    std::uint64_t live_bytes_at_refusal = 0;
    /// Events until the end of the last chunk that was executed.
    std::uint64_t events = 0;

    [[nodiscard]] bool finished() const noexcept { return reason.empty(); }
    [[nodiscard]] const replay::finding& refusal() const noexcept {
        return outcome.execution.refusal;
    }
    [[nodiscard]] const replay::finding& flaw() const noexcept { return outcome.execution.flaw; }
};

/// Decodes the trace, chunk by chunk, for a child that executes it: decoding is not timed, and what
/// it allocates is not in the contestant's heap.
class replay_turn {
public:
    using progress_report = std::function<void(std::uint64_t events)>;

    /// Throws: std::runtime_error if the trace has more threads at once than can be had here.
    replay_turn(const trace_input& input, os::termination_signals& signals,
                progress_report progress = {});

    /// Effects: replays the trace, up to the end of the chunk with the first refused request.
    /// Throws: `interrupted` on a signal; usage_error if the file has changed into none that can
    /// be read; std::runtime_error if no child can be made.
    turn_result run(const replay_task& task);

private:
    void follow(turn_result& result);
    void hand_over(trace_events& events, const replay_memory& memory, turn_result& result);
    bool wait_until(const std::function<bool()>& reached, const char* doing);
    void start(const replay_task& task);

    const trace_input& input_;
    os::termination_signals& signals_;
    progress_report progress_;
    std::optional<os::shared_memory> shared_;
    std::optional<os::child_process> child_;
    std::string reason_;
    bool died_ = false;
};

} // namespace resident::tool
