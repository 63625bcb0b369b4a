/// What the tool and the child that runs one contestant tell each other, in shared memory.
#pragma once

#include "tool/latency_histogram.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace resident::tool {

/// How far a contestant's child has come. It only moves on; `failed` may follow any but `finished`.
enum class contest_stage : std::uint32_t {
    starting,  ///< preparing the process and its memory
    filling,   ///< taking in the first records
    ready,     ///< warm; waits for `go`
    measuring, ///< in the loop that counts
    finished,  ///< `outcome` is complete
    failed,    ///< `outcome.reason` says why
};

/// What to do; written before the child starts.
struct contest_order {
    std::uint32_t contestant = 0; ///< index in all_contestants()
    std::int32_t priority = 0;    ///< SCHED_FIFO; 0: normal
    std::int32_t processor = -1;  ///< to run the loop on; -1: any
    std::int64_t interval = 0;    ///< nanoseconds
    std::uint64_t periods = 0;
    std::uint64_t arena_capacity = 0; ///< bytes
    std::uint64_t records = 0;        ///< to keep
};

/// What was measured; complete when the stage is `finished`.
struct contest_outcome {
    latency_histogram work;
    std::uint64_t minor_faults = 0;
    std::uint64_t major_faults = 0;
    std::uint64_t missed_periods = 0;
    std::uint64_t locked_bytes = 0;    ///< VmLck
    std::uint64_t passed_records = 0;  ///< to the second thread, since warming up
    std::int32_t scheduling_error = 0; ///< errno of asking for SCHED_FIFO
    bool real_time = false;            ///< SCHED_FIFO was asked for and given
    bool harness_locked = false;       ///< code, stack, input and this channel, all of it
    std::uint64_t checksum = 0;        ///< of what was read; keeps the reading from being left out
    std::array<char, 32> page_kind{};  ///< of the arena
    std::array<char, 3072> reason{};   ///< why it failed
};

struct contest_channel {
    contest_order order;
    std::atomic<contest_stage> stage{contest_stage::starting};
    std::atomic<bool> go{false};
    std::atomic<std::uint64_t> periods_done{0};
    contest_outcome outcome;
};

/// What the tool and the hog tell each other.
struct hog_channel {
    std::uint64_t bytes = 0; ///< to keep busy
    std::int32_t processor_to_avoid = -1;
    std::atomic<std::uint64_t> passes{0}; ///< times that all of it has been written
};

// Shared between processes: no lock may hide in an atomic, and no pointer in the rest.
static_assert(std::atomic<contest_stage>::is_always_lock_free);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(std::is_standard_layout_v<contest_channel>);

/// Copies as much of `text` as fits, 0-terminated.
template <std::size_t Size>
void copy_text(std::array<char, Size>& to, std::string_view text) noexcept {
    to[text.copy(to.data(), Size - 1)] = '\0';
}

} // namespace resident::tool
