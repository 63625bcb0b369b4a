/// A machine without any limit, cgroup or privilege, to put one's own into.
#pragma once

#include "support/fake_files_kernel.hpp"

#include <cstdint>

#include <linux/capability.h>

namespace resident::test {

/// The effective capability set of just CAP_IPC_LOCK.
inline constexpr std::uint64_t ipc_lock = std::uint64_t{1} << CAP_IPC_LOCK;

/// Hides every file that limits and environment are read from, until it is served.
class fake_machine : public fake_files_kernel {
public:
    fake_machine() {
        for (const char* path :
             {"/proc/self/status", "/proc/self/uid_map", "/proc/self/cgroup",
              "/proc/self/mountinfo", "/proc/meminfo", "/proc/sys/vm", "/sys/fs/cgroup",
              "/sys/kernel/mm", "/.dockerenv", "/run/.containerenv", "/etc/passwd"}) {
            hide(path);
        }
        set_memory_limit(~std::uint64_t{0}, ~std::uint64_t{0}); // RLIM_INFINITY
        set_capabilities(0);
    }
};

} // namespace resident::test
