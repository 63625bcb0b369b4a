/// A memory barrier that one thread makes all threads of the process meet.
#pragma once

namespace resident::os {

/// Effects: tells the kernel that process_barrier() will be called. Returns: whether it can.
/// Not real-time safe: the first call may take milliseconds in a process of several threads.
bool prepare_process_barrier() noexcept;

/// Effects: every thread of the process passes through a full memory barrier, between its call and
/// its return (membarrier(2), PRIVATE_EXPEDITED). Returns: whether it did.
bool process_barrier() noexcept;

} // namespace resident::os
