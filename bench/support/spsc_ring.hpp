/// A bounded queue between two threads, without locks: what workloads pass blocks through.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>

#include <sched.h>

namespace resident::bench {

/// Waits for another thread: at first busily, because that is soon enough if both have a processor;
/// then by yielding, or the other thread might wait for this one's.
class patience {
public:
    void wait() noexcept {
        if (turns_ != busy_turns) {
            ++turns_;
#if defined(__x86_64__)
            __builtin_ia32_pause();
#endif
        } else {
            sched_yield();
        }
    }

private:
    static constexpr int busy_turns = 200;

    int turns_ = 0;
};

/// For one thread that pushes and one that pops. Each keeps a copy of the other's position and
/// reads the real one only when the copy says full or empty, so that a line moves between the
/// processors once in many entries.
template <class T, std::size_t Entries>
class spsc_ring {
    static_assert(std::has_single_bit(Entries));

public:
    /// Waits while the ring is full.
    void push(T value) noexcept {
        const std::size_t position = pushed_.load(std::memory_order_relaxed);
        for (patience waiting; position - popped_seen_ == Entries; waiting.wait()) {
            popped_seen_ = popped_.load(std::memory_order_acquire);
        }
        entries_[position % Entries] = value;
        pushed_.store(position + 1, std::memory_order_release);
    }

    /// Waits while the ring is empty.
    T pop() noexcept {
        const std::size_t position = popped_.load(std::memory_order_relaxed);
        for (patience waiting; pushed_seen_ == position; waiting.wait()) {
            pushed_seen_ = pushed_.load(std::memory_order_acquire);
        }
        const T value = entries_[position % Entries];
        popped_.store(position + 1, std::memory_order_release);
        return value;
    }

private:
    static constexpr std::size_t apart = 128; // processors fetch lines in pairs

    alignas(apart) std::atomic<std::size_t> pushed_ = 0;
    std::size_t popped_seen_ = 0; ///< of the thread that pushes
    alignas(apart) std::atomic<std::size_t> popped_ = 0;
    std::size_t pushed_seen_ = 0; ///< of the thread that pops
    alignas(apart) std::array<T, Entries> entries_{};
};

} // namespace resident::bench
