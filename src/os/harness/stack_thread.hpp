/// Threads on stacks that the caller provides.
#pragma once

#include <cstddef>
#include <span>

#include <pthread.h>

namespace resident::os {

/// A thread whose stack is memory that is there already, so that starting it makes no fault in it
/// and ending it gives nothing back. It must be joined before it is destroyed.
class stack_thread {
public:
    stack_thread() = default;
    stack_thread(const stack_thread&) = delete;
    stack_thread& operator=(const stack_thread&) = delete;
    ~stack_thread();

    /// Effects: starts `entry(argument)`. Requires: no thread is running here; `stack`, a multiple
    /// of pages, is nobody else's until join(). Returns: 0 or errno.
    int start(std::span<std::byte> stack, void (*entry)(void*), void* argument) noexcept;
    /// Waits for its end.
    void join() noexcept;

private:
    struct call {
        void (*entry)(void*);
        void* argument;
    };
    static void* enter(void* what);

    call call_{};
    pthread_t thread_{};
    bool running_ = false;
};

} // namespace resident::os
