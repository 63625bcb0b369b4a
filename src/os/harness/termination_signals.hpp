/// Being asked to stop, as an event to wait for.
#pragma once

#include <chrono>

#include <signal.h>

namespace resident::os {

/// While it lives, SIGINT, SIGTERM and SIGHUP do not end the process; wait() tells of them, so that
/// everything can be put back first. For the main thread, before other threads start.
class termination_signals {
public:
    termination_signals();
    ~termination_signals();
    termination_signals(const termination_signals&) = delete;
    termination_signals& operator=(const termination_signals&) = delete;

    /// Waits at most `longest`. Returns: the signal that arrived now or earlier, 0 if none.
    int wait(std::chrono::milliseconds longest);
    /// The signal that arrived, 0 if none.
    [[nodiscard]] int arrived() const noexcept { return arrived_; }

    /// Ends this process by `signal` in the default way, so that whoever started it sees why.
    [[noreturn]] static void end_by(int signal);

private:
    int descriptor_;
    int arrived_ = 0;
    sigset_t previous_{};
};

} // namespace resident::os
