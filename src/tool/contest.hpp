/// Running the contestants, in turns.
#pragma once

#include "os/harness/shared_memory.hpp"
#include "os/harness/termination_signals.hpp"
#include "tool/demo_result.hpp"
#include "tool/pressure.hpp"

#include <functional>
#include <string>
#include <vector>

namespace resident::tool {

/// Where a contest stands, for the progress line.
struct contest_progress {
    unsigned round = 0; ///< from 0
    unsigned rounds = 0;
    std::string_view contestant;
    std::string_view doing;
    double share = 0; ///< of all there is to do, 0 to 1
};

/// The tool was asked to stop.
struct interrupted {
    int signal;
};

/// Measures the contestants in rounds, each beginning with another one, so that a machine that
/// slows down or speeds up does so for all. Each turn is a new process with a fresh heap.
class contest {
public:
    using progress_report = std::function<void(const contest_progress&)>;

    contest(const demo_options& options, const workload& load, const os::shared_memory& input,
            pressure& beside, os::termination_signals& signals, progress_report report);

    [[nodiscard]] static unsigned rounds_of(const demo_options& options);

    /// Throws: `interrupted` on a signal; std::runtime_error if the machine gives out.
    std::vector<contest_result> run();

private:
    void take_turn(contest_result& result);
    void follow(contest_channel& channel, os::child_process& child);
    void check_signals(std::chrono::milliseconds longest);
    void tell(const contest_channel& channel);

    const demo_options& options_;
    const workload& load_;
    const os::shared_memory& input_;
    pressure& pressure_;
    os::termination_signals& signals_;
    progress_report report_;
    int processor_;
    contest_progress progress_;
    std::size_t turns_ = 0;
    std::size_t turns_taken_ = 0;
};

} // namespace resident::tool
