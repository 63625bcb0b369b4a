/// What /proc/self/status says of this process.
#pragma once

#include <cstddef>
#include <cstdint>

namespace resident::os {

/// Bytes; 0 where the kernel does not tell.
struct process_status {
    std::size_t mapped = 0; ///< VmSize
    std::size_t locked = 0; ///< VmLck
    std::size_t data = 0;   ///< VmData, what RLIMIT_DATA counts
    std::uint64_t user = 0; ///< effective user id
};

/// Reads it anew. Not real-time safe.
[[nodiscard]] process_status read_process_status() noexcept;

/// Whether a capability, CAP_..., is effective; as far as can be read.
[[nodiscard]] bool has_capability(unsigned capability) noexcept;

/// Whether CAP_IPC_LOCK exempts this process from RLIMIT_MEMLOCK: it must be effective, and held in
/// the first user namespace; that of a rootless container does not count for locking.
[[nodiscard]] bool can_exceed_memlock() noexcept;

} // namespace resident::os
