/// Where the calling thread's stack lies.
#pragma once

#include "os/kernel.hpp"

#include <cstddef>
#include <cstdint>

namespace resident::os {

///     begin                              frame       control_block   end
///     | not used yet                     | frames    | thread's own  |
///     +----------------------------------+-----------+---------------+
///
/// The C library keeps its record of a thread, and the thread's static thread-local variables, at
/// the top of the stack's mapping. The main thread has them elsewhere.
struct stack_bounds {
    std::uintptr_t begin = 0;         ///< lowest usable address
    std::uintptr_t end = 0;           ///< one past the highest
    std::uintptr_t control_block = 0; ///< of this thread
    bool main_thread = false;         ///< its stack grows, within RLIMIT_STACK, as it is touched
};

/// Fails if and only if the C library does not know the bounds. May allocate memory. Any thread.
outcome find_stack_bounds(stack_bounds& bounds) noexcept;

} // namespace resident::os
