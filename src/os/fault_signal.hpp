/// A signal at each page fault of a thread: SIGTRAP from a perf event.
#pragma once

#include "os/kernel.hpp"

#include <cstddef>

#include <sys/types.h>

namespace resident::os {

/// Who is told of a thread's page faults. Stays where it is while it listens.
struct fault_listener {
    /// Runs in a signal handler, at the faulting instruction; its own faults are not reported.
    void (*on_fault)(fault_listener& self, const void* address, const void* instruction) = nullptr;
    bool sees_kernel = false; ///< faults inside system calls as well; known once prepared
    int descriptor = -1;      ///< of the event
    pid_t process = 0;        ///< that listens; a forked child does not
    bool was_blocked = false; ///< SIGTRAP, in the thread that listens
};

/// Effects: takes over SIGTRAP and opens the event of the calling thread, not enabled yet. Where
/// this process may not watch the kernel, the event leaves out faults inside system calls.
/// Fails if and only if the kernel refuses; then nothing has changed.
outcome prepare_listening(fault_listener& listener) noexcept;
/// Effects: reports faults from here on. Same thread.
void start_listening(fault_listener& listener) noexcept;
/// Effects: ends it; the last listener of the process puts the former SIGTRAP action back. Same
/// thread, unless that has ended.
void stop_listening(fault_listener& listener) noexcept;

/// Async-signal-safe.
[[nodiscard]] pid_t this_thread_id() noexcept;
/// Writes to stderr, unbuffered. Async-signal-safe.
void write_diagnostic(const char* text, std::size_t length) noexcept;

} // namespace resident::os
