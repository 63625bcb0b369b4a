/// What is going on, for someone who waits at a terminal.
#pragma once

#include <string>

namespace resident::bench {

/// A line on standard error, if that is a terminal: the next one takes its place, and it is gone
/// when there is something to read.
class waiting_line {
public:
    waiting_line() = default;
    explicit waiting_line(const std::string& what) { show(what); }
    ~waiting_line();
    waiting_line(const waiting_line&) = delete;
    waiting_line& operator=(const waiting_line&) = delete;

    void show(const std::string& what);

private:
    bool shown_ = false;
};

} // namespace resident::bench
