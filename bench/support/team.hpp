/// Threads that are measured together.
#pragma once

#include "support/machine.hpp"

#include <barrier>
#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

namespace resident::bench {

/// Where the threads of a team wait for each other; notes when the last of them came.
class meeting {
public:
    explicit meeting(std::size_t threads)
        : all_(static_cast<std::ptrdiff_t>(threads), note{this}) {}

    void wait() { all_.arrive_and_wait(); }
    [[nodiscard]] std::chrono::steady_clock::time_point time() const noexcept { return time_; }

private:
    struct note {
        meeting* here;
        void operator()() noexcept { here->time_ = std::chrono::steady_clock::now(); }
    };

    std::barrier<note> all_;
    std::chrono::steady_clock::time_point time_;
};

/// Runs `member(index)` in `threads` threads, which are pinned to the processors in turn. What it
/// returns is called when all have come that far, and is timed; then it is destroyed, untimed.
/// Returns: seconds from the first call's begin to the last one's end.
template <class Member>
double seconds_of_team(std::size_t threads, Member member) {
    meeting begin{threads};
    meeting end{threads};
    std::vector<std::thread> running;
    running.reserve(threads);
    for (std::size_t index = 0; index != threads; ++index) {
        running.emplace_back([&, index] {
            pin_in_turn(index);
            auto work = member(index);
            begin.wait();
            work();
            end.wait();
        });
    }
    for (std::thread& each : running) {
        each.join();
    }
    return std::chrono::duration<double>(end.time() - begin.time()).count();
}

} // namespace resident::bench
