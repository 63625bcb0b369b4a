/// A mutex whose holder inherits the priority of whoever waits for it.
#pragma once

#include <atomic>
#include <cstdint>

namespace resident::os {

/// What a thread needs to know to take a mutex, in the place where it is read fastest.
struct thread_identity {
    static constexpr std::uint32_t unknown = ~std::uint32_t{0};

    std::uint32_t id = 0; ///< the kernel's number of the thread, once it has been asked for
    /// What the word of a free mutex is to this thread: 0. Before `id` is known, what no word ever
    /// is, so that the fast path fails then without a test of its own.
    std::uint32_t free_word = unknown;
};

/// Initial-exec: two instructions to read it, and no call that could allocate it.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local thread_identity this_thread;

/// Effects: asks the kernel for the number of this thread, once in its life. The first lock() of a
/// thread does it; a thread that wants no system call there does it before.
void identify_this_thread() noexcept;

/// Meets the BasicLockable requirements, so std::lock_guard works. Uncontended, lock and unlock are
/// one compare-and-exchange each, and no system call after the thread's first.
///
/// Zeroed memory is a mutex that is free. In a forked child a mutex is of use if its memory was
/// wiped, or if no other thread held it at the fork. Where the kernel has no priority-inheriting
/// futex, it is a plain mutex.
///
/// Aborts with a message if the caller holds it already, or if its holder has ended.
class priority_inheritance_mutex {
public:
    constexpr priority_inheritance_mutex() noexcept = default;
    priority_inheritance_mutex(const priority_inheritance_mutex&) = delete;
    priority_inheritance_mutex& operator=(const priority_inheritance_mutex&) = delete;

    void lock() noexcept {
        if (!try_lock()) [[unlikely]]
            lock_slowly();
    }
    void unlock() noexcept {
        if (!try_unlock()) [[unlikely]]
            unlock_slowly();
    }

    /// The fast halves, for those who put the slow ones out of their way with a tail call.
    /// try_lock may fail where lock() would not wait: on a thread that was not identified.
    [[nodiscard]] bool try_lock() noexcept {
        std::uint32_t expected = this_thread.free_word;
        return word_.compare_exchange_strong(expected, this_thread.id, std::memory_order_acquire,
                                             std::memory_order_relaxed);
    }
    /// False: others wait, and it is still held. The behavior is undefined unless the caller does.
    [[nodiscard]] bool try_unlock() noexcept {
        std::uint32_t expected = this_thread.id;
        return word_.compare_exchange_strong(expected, 0, std::memory_order_release,
                                             std::memory_order_relaxed);
    }
    void lock_slowly() noexcept;
    void unlock_slowly() noexcept;

    /// The kernel's number of the thread that holds it; 0: nobody does. For tests.
    [[nodiscard]] std::uint32_t holder() const noexcept;
    /// Whether threads wait in the kernel. For tests.
    [[nodiscard]] bool is_contended() const noexcept;

private:
    void lock_without_inheritance() noexcept;
    void unlock_without_inheritance() noexcept;

    /// As the kernel wants it (futex(2), "Priority-inheritance futexes"): the holder's number, and
    /// FUTEX_WAITERS if threads wait in the kernel.
    std::atomic<std::uint32_t> word_{0};
    static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));
};

} // namespace resident::os
