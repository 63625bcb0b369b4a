/// A thread as a real-time program sets one up.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace resident::os {

/// Effects: runs `entry(argument)` to its end on another thread with a stack of `stack` bytes: the
/// default of 8 MiB would all count against the memlock limit under mlockall.
/// Returns: empty, or why there is no such thread.
std::string run_on_thread(std::size_t stack, void (*entry)(void*), void* argument);

/// Makes the calling thread SCHED_FIFO. Returns: 0 or errno.
int become_realtime(int priority) noexcept;

/// Keeps the calling thread on one processor. Returns: 0 or errno.
int pin_to_processor(int processor) noexcept;

/// Keeps the calling thread off one processor, if that leaves it another.
void avoid_processor(int processor) noexcept;

/// The processors this process may run on, ascending.
[[nodiscard]] std::vector<int> allowed_processors();

/// What sched_get_priority_min and _max say of SCHED_FIFO.
[[nodiscard]] int lowest_priority() noexcept;
[[nodiscard]] int highest_priority() noexcept;

} // namespace resident::os
