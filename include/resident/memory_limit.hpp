/// RLIMIT_MEMLOCK, read and set by call.
#pragma once

#include "resident/error.hpp"
#include "resident/result.hpp"

#include <cstddef>

namespace resident {

/// RLIMIT_MEMLOCK and what counts against it; bytes, `unlimited` for none.
struct memory_limit {
    std::size_t soft = 0;
    std::size_t hard = 0;
    std::size_t locked = 0; ///< VmLck: locked now by this process
    bool exempt = false;    ///< CAP_IPC_LOCK: the limit does not apply
    /// What may still be locked; `unlimited` if exempt.
    [[nodiscard]] constexpr std::size_t headroom() const noexcept {
        if (exempt || soft == unlimited)
            return unlimited;
        return soft > locked ? soft - locked : 0;
    }
};

/// Fails if and only if the kernel does not tell. Not real-time safe; any thread.
[[nodiscard]] result<memory_limit> read_memory_limit();

/// Sets the soft limit, and the hard limit where `hard` is given; bytes.
/// Fails if and only if the kernel refuses: raising the hard limit needs CAP_SYS_RESOURCE, and the
/// soft one may not exceed the hard one. Not real-time safe; any thread; affects the process.
status set_memory_limit(std::size_t soft);
status set_memory_limit(std::size_t soft, std::size_t hard);

/// Raises the soft limit to the hard one. Returns: the limit then in force. Needs no privilege.
result<memory_limit> raise_memory_limit();

/// The limit, the locked bytes, every cgroup level and RAM, as errors report them.
[[nodiscard]] headroom_snapshot read_headroom() noexcept;

} // namespace resident
