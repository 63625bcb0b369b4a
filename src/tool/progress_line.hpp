/// How far a command, a contest or another measurement in rounds has come; on standard error.
#pragma once

#include "tool/contest.hpp"

#include <chrono>
#include <string>

namespace resident::tool {

/// One line that updates itself on a terminal; elsewhere a line a round; nothing if quiet.
class progress_line {
public:
    /// `who` begins the lines where there is no terminal.
    progress_line(std::string who, bool quiet);
    ~progress_line() { clear(); }
    progress_line(const progress_line&) = delete;
    progress_line& operator=(const progress_line&) = delete;

    void show(const contest_progress& progress);
    /// The same for a line of the caller's; on terminals alone.
    void show(std::string line);
    /// Leaves an empty line, for what comes next.
    void clear();

private:
    [[nodiscard]] std::string time_left(double share) const;

    std::string who_;
    bool quiet_;
    bool terminal_;
    unsigned rounds_told_ = 0;
    std::string shown_;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

} // namespace resident::tool
