#include "tool/progress_line.hpp"

#include "os/harness/terminal.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

namespace resident::tool {

progress_line::progress_line(std::string who, bool quiet)
    : who_(std::move(who)), quiet_(quiet), terminal_(os::diagnostics_are_terminal()) {}

/// Empty until enough is done to tell.
std::string progress_line::time_left(double share) const {
    if (share < 0.02)
        return {};
    const std::chrono::duration<double> gone = std::chrono::steady_clock::now() - begin_;
    return fmt::format(", {:.0f} s left", gone.count() / share * (1 - share));
}

void progress_line::show(const contest_progress& progress) {
    if (quiet_)
        return;
    if (!terminal_) {
        if (progress.round < rounds_told_)
            return;
        rounds_told_ = progress.round + 1;
        fmt::print(stderr, "{}: round {} of {}{}\n", who_, progress.round + 1, progress.rounds,
                   time_left(progress.share));
        return;
    }
    show(fmt::format("[{:3.0f} %] round {} of {}: {}: {}{}", progress.share * 100,
                     progress.round + 1, progress.rounds, progress.contestant, progress.doing,
                     time_left(progress.share)));
}

void progress_line::show(std::string line) {
    if (quiet_ || !terminal_)
        return;
    line.resize(std::min(line.size(), os::terminal_columns() - 1)); // a wrapped line stays
    if (line == shown_)
        return;
    fmt::print(stderr, "\r\033[K{}", line);
    std::fflush(stderr);
    shown_ = line;
}

void progress_line::clear() {
    if (shown_.empty())
        return;
    fmt::print(stderr, "\r\033[K");
    std::fflush(stderr);
    shown_.clear();
}

} // namespace resident::tool
