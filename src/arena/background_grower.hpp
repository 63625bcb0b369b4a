/// A thread of normal priority that grows an arena ahead of demand.
#pragma once

#include "os/kernel.hpp"
#include "resident/arena.hpp"

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace resident::detail {

class arena_state;

/// Looks every poll_interval whether keep_free bytes are free, and grows the arena if not, in one
/// step at a time. Nobody wakes it: waking would be a system call inside allocate.
/// After a growth that is refused it waits sixteen times as long.
class background_grower {
public:
    background_grower(arena_state& arena, const background_growth& growth) noexcept
        : arena_(arena), growth_(growth) {}
    background_grower(const background_grower&) = delete;
    background_grower& operator=(const background_grower&) = delete;
    /// Stops the thread and waits for it: for one step of growth at most.
    ~background_grower();

    os::outcome start() noexcept;

private:
    void run() noexcept;
    bool grow_to_watermark() noexcept;

    arena_state& arena_;
    background_growth growth_;
    std::uintptr_t thread_ = 0;
    bool started_ = false;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stop_ = false;
};

} // namespace resident::detail
