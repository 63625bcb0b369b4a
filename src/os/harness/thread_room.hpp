/// How many threads may be started still, and why not more.
#pragma once

#include <cstdint>
#include <string>

namespace resident::os {

/// The limit that leaves least.
struct thread_room {
    std::string limit_is{}; ///< "kernel.pid_max", "RLIMIT_NPROC", "pids.max of cgroup /a/b"
    std::uint64_t limit = 0;
    std::uint64_t in_use = 0; ///< processes and threads that count
    std::uint64_t left = UINT64_MAX;
    std::string remedy{}; ///< a sentence's part: "raise it: ..."
};

/// Reads pids.max and pids.current of every cgroup of this process, RLIMIT_NPROC, unless it is for
/// others than this process (CAP_SYS_RESOURCE, CAP_SYS_ADMIN), kernel.threads-max and
/// kernel.pid_max. Of the last two, which all programs share, `left` is half of what is not in use:
/// the rest is for others. What cannot be read does not limit. Linear in the processes that run.
[[nodiscard]] thread_room read_thread_room();

} // namespace resident::os
