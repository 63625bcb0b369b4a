#include "os/priority_inheritance_mutex.hpp"

#include "os/kernel.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <linux/futex.h>
#include <pthread.h>

namespace resident::os {

constinit thread_local thread_identity this_thread;

namespace {

void forget_identity() noexcept { this_thread = {}; } // the child's only thread has a new number

/// Kinds of failure that are over when asked again: a signal; a holder about to end, or a word that
/// changed meanwhile; no memory for the kernel's own record of the waiter.
bool may_be_retried(int error_number) noexcept {
    return error_number == EINTR || error_number == EAGAIN || error_number == ENOMEM;
}

const char* reason(int error_number) noexcept {
    switch (error_number) {
    case EDEADLK:
        return "the calling thread holds it already (allocating in a signal handler?)";
    case ESRCH:
        return "the thread that held it has ended";
    case EPERM:
        return "it was overwritten, or is unlocked by a thread that does not hold it";
    default:
        return std::strerror(error_number);
    }
}

/// Going on would mean two threads in what the mutex guards.
[[noreturn, gnu::cold]] void give_up(const char* what, int error_number) noexcept {
    std::fprintf(stderr, "resident: cannot %s a mutex: %s\n", what, reason(error_number));
    std::abort();
}

/// The futex call takes a plain word. Nothing but atomics and the kernel touches it.
outcome call_futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value) noexcept {
    return system().futex(reinterpret_cast<std::uint32_t*>(&word), operation | FUTEX_PRIVATE_FLAG,
                          value);
}

} // namespace

void identify_this_thread() noexcept {
    if (this_thread.free_word == 0)
        return;
    // Before the first number is kept, so that no fork can come between.
    [[maybe_unused]] static const int handler = pthread_atfork(nullptr, nullptr, forget_identity);
    this_thread = {.id = static_cast<std::uint32_t>(system().thread_id().value()), .free_word = 0};
}

void priority_inheritance_mutex::lock_slowly() noexcept {
    identify_this_thread();
    while (!try_lock()) {
        const outcome locked = call_futex(word_, FUTEX_LOCK_PI, 0);
        if (locked) {
            // The kernel has written our number. What the last holder wrote is visible after the
            // call anyway; the load says so to the language, and to ThreadSanitizer.
            (void)word_.load(std::memory_order_acquire);
            return;
        }
        if (locked.error_number() == ENOSYS)
            return lock_without_inheritance();
        if (!may_be_retried(locked.error_number()))
            give_up("lock", locked.error_number());
    }
}

void priority_inheritance_mutex::unlock_slowly() noexcept {
    word_.fetch_or(0, std::memory_order_release); // the counterpart of the load above
    for (;;) {
        const outcome unlocked = call_futex(word_, FUTEX_UNLOCK_PI, 0);
        if (unlocked)
            return;
        if (unlocked.error_number() == ENOSYS)
            return unlock_without_inheritance();
        if (!may_be_retried(unlocked.error_number()))
            give_up("unlock", unlocked.error_number());
    }
}

// The plain protocol keeps the word's meaning, except that FUTEX_WAITERS may be set without need:
// a thread that has waited cannot know whether it was the last to.

void priority_inheritance_mutex::lock_without_inheritance() noexcept {
    const std::uint32_t mine = this_thread.id | FUTEX_WAITERS;
    std::uint32_t seen = word_.load(std::memory_order_relaxed);
    for (;;) {
        if (seen == 0) {
            if (word_.compare_exchange_weak(seen, mine, std::memory_order_acquire,
                                            std::memory_order_relaxed))
                return;
            continue;
        }
        if ((seen & FUTEX_TID_MASK) == this_thread.id)
            give_up("lock", EDEADLK);
        const std::uint32_t waited_for = seen | FUTEX_WAITERS;
        if (seen != waited_for &&
            !word_.compare_exchange_weak(seen, waited_for, std::memory_order_relaxed,
                                         std::memory_order_relaxed))
            continue;
        const outcome waited = call_futex(word_, FUTEX_WAIT, waited_for);
        if (!waited && !may_be_retried(waited.error_number()))
            give_up("lock", waited.error_number());
        seen = word_.load(std::memory_order_relaxed);
    }
}

void priority_inheritance_mutex::unlock_without_inheritance() noexcept {
    word_.store(0, std::memory_order_release);
    // Fails only where the memory is gone, and with it whoever waited for it.
    (void)call_futex(word_, FUTEX_WAKE, 1);
}

std::uint32_t priority_inheritance_mutex::holder() const noexcept {
    return word_.load(std::memory_order_relaxed) & FUTEX_TID_MASK;
}

bool priority_inheritance_mutex::is_contended() const noexcept {
    return (word_.load(std::memory_order_relaxed) & FUTEX_WAITERS) != 0;
}

} // namespace resident::os
