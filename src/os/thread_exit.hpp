/// What is to be done as a thread ends, or as the process forks.
#pragma once

namespace resident::os {

/// Effects: from now on `hook` is called in every thread that called announce_exit(), as it ends,
/// after its thread_local objects were destroyed; and `in_child` in each forked child, by the
/// thread that lives on. Once a process. Returns: false if and only if the process has no key of
/// thread-specific data left (pthread_key_create), or no memory for the handler.
bool watch_threads(void (*hook)() noexcept, void (*in_child)() noexcept) noexcept;

/// Effects: the hook is called as this thread ends. Returns: whether it will be; false if it was
/// called already. Requires: watch_threads succeeded, and that this is not the thread's first call
/// in the last of the rounds in which thread-specific data are destroyed.
/// May allocate, once a thread, if the process has many keys.
bool announce_exit() noexcept;

} // namespace resident::os
