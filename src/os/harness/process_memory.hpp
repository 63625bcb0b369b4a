/// How much of this process is in RAM.
#pragma once

#include <cstddef>

namespace resident::os {

/// Bytes; 0 where the kernel does not tell.
struct process_memory {
    std::size_t resident = 0;      ///< VmRSS
    std::size_t peak_resident = 0; ///< VmHWM: the most since the start, or since restart_peak
};
[[nodiscard]] process_memory read_process_memory() noexcept;

/// Effects: makes the peak what is resident now. Returns: whether the kernel can (clear_refs).
bool restart_peak_of_memory() noexcept;

} // namespace resident::os
