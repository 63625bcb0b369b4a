/// What the tool and the child that replays a trace on one contestant tell each other, in shared
/// memory.
#pragma once

#include "replay/executor.hpp"
#include "replay/operation.hpp"
#include "replay/summary.hpp"
#include "tool/contest_channel.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace resident::tool {

/// What a child does with the trace.
enum class replay_mode : std::uint32_t {
    verify,  ///< each block filled and checked
    measure, ///< timed
    sample,  ///< some calls single-stepped
    fit,     ///< to see whether it fits
};

/// What to do; written before the child starts.
struct replay_order {
    std::uint32_t contestant = 0; ///< index in all_replay_contestants()
    replay_mode mode = replay_mode::measure;
    bool threads = false; ///< whether the trace has more than one
    bool lock = true;     ///< the arena
    std::uint32_t workers = 0;
    std::uint32_t slots = 0;
    std::uint64_t arena_capacity = 0; ///< bytes
    std::uint64_t allocations = 0;    ///< in the trace, to choose samples from
    std::uint64_t frees = 0;
    std::uint64_t samples = 0; ///< wanted, of each
};

struct sampled_calls {
    std::uint64_t calls = 0; ///< counted
    std::uint32_t median = 0;
    std::uint32_t p99 = 0;
    std::uint32_t max = 0;
};

/// What came of it; complete when the stage is `finished`.
struct replay_outcome {
    replay::execution execution{};
    std::uint64_t memory_held = 0; ///< bytes at the peak: of the pool, or the growth of VmHWM
    std::uint64_t arena_bytes = 0; ///< resident: capacity and bookkeeping; 0 without an arena
    bool arena_locked = false;
    sampled_calls allocations{};
    sampled_calls frees{};
    std::array<char, 32> page_kind{}; ///< of the arena
    std::array<char, 3072> reason{};  ///< why it failed
};

struct replay_channel {
    replay_order order;
    std::atomic<contest_stage> stage{contest_stage::starting};
    /// Each chunk is one more; `done` follows. What is between belongs to whom it is handed.
    std::atomic<std::uint32_t> handed{0};
    std::atomic<std::uint32_t> done{0};
    std::uint32_t count = 0; ///< operations in this chunk
    bool last = false;       ///< there is no chunk any more
    std::uint64_t first_event = 0;
    replay_outcome outcome;
};

/// The shared memory as a whole:
///
///     [ channel ][ first operation of each worker ][ operations ][ slots ]      pages each
class replay_memory {
public:
    explicit replay_memory(void* data) noexcept : data_(static_cast<std::byte*>(data)) {}

    [[nodiscard]] static std::size_t size(const replay_order& order) noexcept {
        return slots_offset(order) + pages(order.slots * sizeof(replay::block_slot));
    }
    [[nodiscard]] replay_channel& channel() const noexcept {
        return *reinterpret_cast<replay_channel*>(data_); // NOLINT: it begins there
    }
    [[nodiscard]] std::span<std::uint32_t> first() const noexcept {
        return part<std::uint32_t>(first_offset(), channel().order.workers);
    }
    [[nodiscard]] std::span<replay::operation> operations() const noexcept {
        return part<replay::operation>(operations_offset(channel().order),
                                       replay::chunk_operations);
    }
    [[nodiscard]] std::span<replay::block_slot> slots() const noexcept {
        return part<replay::block_slot>(slots_offset(channel().order), channel().order.slots);
    }

    /// Has every page mapped here, while nobody else writes: a first touch would be a fault in the
    /// run. Last of all before it: under a hypervisor that shadows page tables, what an arena asks
    /// of the kernel costs the pages touched before some microseconds each, which nothing counts.
    void touch() const noexcept {
        volatile std::byte* const bytes = data_;
        for (std::size_t place = 4096; place < size(channel().order); place += 4096)
            bytes[place] = bytes[place];
    }

private:
    static constexpr std::size_t pages(std::size_t bytes) noexcept {
        return (bytes + 4095) / 4096 * 4096;
    }
    static constexpr std::size_t first_offset() noexcept { return pages(sizeof(replay_channel)); }
    static constexpr std::size_t operations_offset(const replay_order& order) noexcept {
        return first_offset() + pages(order.workers * sizeof(std::uint32_t));
    }
    static constexpr std::size_t slots_offset(const replay_order& order) noexcept {
        return operations_offset(order) +
               pages(replay::chunk_operations * sizeof(replay::operation));
    }
    template <class Element>
    [[nodiscard]] std::span<Element> part(std::size_t offset, std::size_t count) const noexcept {
        return {reinterpret_cast<Element*>(data_ + offset), count}; // NOLINT: see the picture
    }

    std::byte* data_;
};

} // namespace resident::tool
