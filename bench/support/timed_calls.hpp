/// Every call of a contestant timed by itself, while random ones of 10 000 blocks are replaced.
#pragma once

#include "contestants/contestant.hpp"
#include "resident/fault_counter.hpp"
#include "support/call_clock.hpp"
#include "tool/latency_histogram.hpp"
#include "workloads.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace resident::bench {

/// The calls that are told apart. Fresh: the first of a heap that was built just now; warm: in its
/// steady state.
enum class timed_call : std::size_t { fresh_allocate, fresh_free, warm_allocate, warm_free };
inline constexpr std::size_t timed_call_count = 4;

struct timed_calls_amount {
    std::uint32_t live = 10'000;          ///< blocks; as many calls are fresh
    std::uint32_t warm_up = 50'000;       ///< replacements before
    std::uint32_t replacements = 100'000; ///< that are timed
};

/// What one process measured. Trivially copyable, so that it can be sent.
struct call_times {
    std::array<tool::latency_histogram, timed_call_count> histograms{};
    /// Page faults while the calls of each kind went on; the warm ones have theirs together. First
    /// writes to the blocks are counted too: where the memory is not there, they find out.
    std::array<faults, timed_call_count> faults_of{};
    std::uint64_t refused = 0; ///< requests that got null; the measurement ends there
    int realtime_error = 0;    ///< errno of SCHED_FIFO, 0 if it was permitted
    bool records_locked = false;

    [[nodiscard]] tool::latency_histogram& of(timed_call call) noexcept {
        return histograms[static_cast<std::size_t>(call)];
    }
    [[nodiscard]] const tool::latency_histogram& of(timed_call call) const noexcept {
        return histograms[static_cast<std::size_t>(call)];
    }
    [[nodiscard]] faults& faulted(timed_call call) noexcept {
        return faults_of[static_cast<std::size_t>(call)];
    }
    [[nodiscard]] const faults& faulted(timed_call call) const noexcept {
        return faults_of[static_cast<std::size_t>(call)];
    }
};

/// The same calls for every contestant, with the same sizes in the same order.
template <contestant C>
class timed_calls {
public:
    timed_calls(C& heap, std::span<held_block> slots, const call_clock& clock, call_times& times)
        : heap_(heap), slots_(slots), clock_(clock), times_(times) {}

    void run(const timed_calls_amount& amount) {
        measure(timed_call::fresh_allocate, [&] { fill(times_.of(timed_call::fresh_allocate)); });
        measure(timed_call::fresh_free, [&] { free_all(times_.of(timed_call::fresh_free)); });
        fill(ignored_);
        replace(amount.warm_up, ignored_, ignored_);
        measure(timed_call::warm_allocate, [&] {
            replace(amount.replacements, times_.of(timed_call::warm_allocate),
                    times_.of(timed_call::warm_free));
        });
        times_.faulted(timed_call::warm_free) = times_.faulted(timed_call::warm_allocate);
        free_all(ignored_);
    }

private:
    template <class Calls>
    void measure(timed_call call, Calls calls) {
        fault_counter counter;
        counter.restart();
        calls();
        times_.faulted(call) = counter.count();
    }

    /// Whether there is a block.
    bool allocate(held_block& into, std::uint32_t bytes, tool::latency_histogram& record) {
        const std::uint64_t begin = clock_.begin();
        void* const block = heap_.allocate(bytes);
        use(block);
        record.record(clock_.nanoseconds(clock_.end() - begin));
        into = {block, bytes};
        if (block == nullptr) [[unlikely]] {
            ++times_.refused;
            return false;
        }
        touch(block, bytes);
        return true;
    }
    void deallocate(const held_block& block, tool::latency_histogram& record) {
        const std::uint64_t begin = clock_.begin();
        heap_.deallocate(block.address, block.bytes);
        use(&heap_);
        record.record(clock_.nanoseconds(clock_.end() - begin));
    }

    void fill(tool::latency_histogram& record) {
        for (held_block& each : slots_) {
            if (times_.refused != 0 ||
                !allocate(each, sizes_(static_cast<std::uint32_t>(random_.next())), record)) {
                each.address = nullptr;
            }
        }
    }
    /// In an order without system: that of a random permutation, made on the way.
    void free_all(tool::latency_histogram& record) {
        for (std::size_t left = slots_.size(); left != 0; --left) {
            std::swap(slots_[left - 1], slots_[random_.below(static_cast<std::uint32_t>(left))]);
            if (slots_[left - 1].address != nullptr) {
                deallocate(slots_[left - 1], record);
            }
        }
    }
    void replace(std::uint32_t times, tool::latency_histogram& allocated,
                 tool::latency_histogram& freed) {
        const auto count = static_cast<std::uint32_t>(slots_.size());
        for (std::uint32_t done = 0; done != times && times_.refused == 0; ++done) {
            const std::uint64_t bits = random_.next();
            held_block& chosen =
                slots_[random_stream::scale(static_cast<std::uint32_t>(bits >> 32), count)];
            deallocate(chosen, freed);
            allocate(chosen, sizes_(static_cast<std::uint32_t>(bits)), allocated);
        }
    }

    C& heap_;
    std::span<held_block> slots_;
    const call_clock& clock_;
    call_times& times_;
    log_sizes sizes_{};
    random_stream random_{19};
    tool::latency_histogram ignored_{};
};

/// What a process that times calls prepares beside the contestant.
class timing_process {
public:
    /// Effects: locks what the program consists of, unless the contestant's own preparation locks
    /// everything; makes and locks the records and `live` slots.
    timing_process(bool is_prepared, std::uint32_t live);
    timing_process(const timing_process&) = delete;
    timing_process& operator=(const timing_process&) = delete;
    ~timing_process();

    /// Effects: from here on the calling thread is SCHED_FIFO, where that is permitted.
    void become_realtime();

    [[nodiscard]] call_times& times() noexcept;
    [[nodiscard]] std::span<held_block> slots() noexcept;

private:
    struct locked_records;
    std::unique_ptr<locked_records> records_;
};

/// Effects: prepares this process, builds the contestant's heap and times its calls.
/// Returns: what was measured as bytes_of() it, or "!" and why not. For a child process.
template <contestant C>
std::string time_calls_in_this_process(const call_clock& clock, const timed_calls_amount& amount) {
    constexpr bool prepares = requires { C::prepare_process(); };
    if constexpr (prepares) {
        if (const std::string refused = C::prepare_process(); !refused.empty()) {
            return "!" + refused;
        }
    }
    timing_process process{prepares, amount.live};
    const auto heap = std::make_unique<C>();
    const auto calls =
        std::make_unique<timed_calls<C>>(*heap, process.slots(), clock, process.times());
    process.become_realtime();
    calls->run(amount);
    const call_times& times = process.times();
    return times.refused == 0 ? std::string{reinterpret_cast<const char*>(&times), sizeof times}
                              : "!it refused a request: its memory was used up";
}

} // namespace resident::bench
