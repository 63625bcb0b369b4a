#include "os/process_barrier.hpp"

#include "os/kernel.hpp"

#include <linux/membarrier.h>

namespace resident::os {

bool prepare_process_barrier() noexcept {
    return static_cast<bool>(system().memory_barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED));
}

bool process_barrier() noexcept {
    return static_cast<bool>(system().memory_barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED));
}

} // namespace resident::os
