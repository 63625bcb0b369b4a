/// Freeing on another thread: what the loop is done with goes there through a bounded queue.
#pragma once

#include "os/harness/periodic_clock.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <semaphore>
#include <stop_token>
#include <thread>
#include <utility>

namespace resident::tool {

/// A thread that destroys what another one passes to it. The queue between them has one producer,
/// one consumer and no lock. The consumer looks in from time to time, twice in a millisecond:
/// nobody has to wake it, which would be a system call in the loop, and it takes no processor.
template <class Item>
class second_thread {
public:
    static constexpr std::size_t most_waiting = 64;

    /// Effects: starts the thread, and returns when it has called `prepare()`, which throws
    /// nothing. Of `limit` and most_waiting the lesser is how many items may wait in the queue.
    /// Throws: std::system_error if there is no such thread.
    template <class Prepare>
    second_thread(std::size_t limit, Prepare prepare)
        : limit_(std::min(limit, most_waiting)),
          thread_([this, prepare](const std::stop_token& stop) {
              prepare();
              prepared_.release();
              destroy_until(stop);
          }) {
        prepared_.acquire();
    }

    [[nodiscard]] std::size_t limit() const noexcept { return limit_; }

    /// Whether there is room for an item. For the producer; real-time safe, as pass() is.
    [[nodiscard]] bool has_room() const noexcept {
        return passed_.load(std::memory_order_relaxed) -
                   destroyed_.load(std::memory_order_acquire) <
               limit_;
    }

    /// Requires: has_room().
    void pass(Item&& item) noexcept {
        const std::uint64_t number = passed_.load(std::memory_order_relaxed);
        waiting_[number % most_waiting].emplace(std::move(item));
        passed_.store(number + 1, std::memory_order_release);
    }

    [[nodiscard]] std::uint64_t passed() const noexcept {
        return passed_.load(std::memory_order_relaxed);
    }

private:
    static constexpr std::int64_t interval = 500'000; ///< nanoseconds between looking in

    void destroy_until(const std::stop_token& stop) noexcept {
        for (bool last = false; !last;) {
            last = stop.stop_requested(); // read first: what was passed before it is destroyed
            destroy_all_waiting();
            if (!last)
                os::sleep_until(os::monotonic_nanoseconds() + interval);
        }
    }

    void destroy_all_waiting() noexcept {
        std::uint64_t number = destroyed_.load(std::memory_order_relaxed);
        for (; number != passed_.load(std::memory_order_acquire); ++number) {
            waiting_[number % most_waiting].reset();
            destroyed_.store(number + 1, std::memory_order_release);
        }
    }

    std::size_t limit_;
    std::array<std::optional<Item>, most_waiting> waiting_;
    alignas(64) std::atomic<std::uint64_t> passed_{0};    ///< by the producer, in all
    alignas(64) std::atomic<std::uint64_t> destroyed_{0}; ///< by the consumer
    std::binary_semaphore prepared_{0};
    std::jthread thread_; ///< last: it uses the others
};

} // namespace resident::tool
