/// What a replay executes: the events of a trace with block slots in the place of addresses.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace resident::replay {

enum class action : std::uint8_t {
    allocate,
    free,
    reallocate,
    begin_thread, ///< of the first worker alone: starts another one
    end_thread,   ///< of the first worker alone: waits for the end of another one
    leave,        ///< the last of a worker that ends
};

inline constexpr std::uint32_t no_operation = UINT32_MAX;
inline constexpr std::uint8_t malloc_alignment = UINT8_MAX; ///< what malloc promises

/// An alignment as a resource takes it: where a program asked malloc, what malloc promises.
constexpr std::size_t alignment_of(std::uint8_t alignment_log2) noexcept {
    return alignment_log2 == malloc_alignment ? alignof(std::max_align_t)
                                              : std::size_t{1} << alignment_log2;
}

/// One step of one worker. Those of a worker are a list in the order of the trace.
///
/// Two operations on one block that follow each other in different threads keep their order by the
/// slot's `turn`: the first publishes, the second waits for it. All others need no atomic at all.
struct operation {
    std::uint64_t size;   ///< bytes requested; of a free: of the block, as requested
    std::uint32_t slot;   ///< of the block; begin_thread: the first operation of that worker
    std::uint32_t next;   ///< of the same worker
    std::uint32_t turn;   ///< if `waits`: the turn of the slot to wait for
    std::uint32_t worker; ///< who does it; begin_thread, end_thread: whom it is about
    std::uint32_t event;  ///< after the first event of the chunk
    action kind;
    std::uint8_t alignment_log2; ///< or malloc_alignment
    bool waits;
    bool publishes;
};
static_assert(sizeof(operation) == 32, "two a cache line");

/// A part of a trace that is decoded first and executed then.
struct chunk {
    std::span<operation> operations; ///< room; the first `count` are filled
    std::uint32_t count = 0;
    std::uint64_t first_event = 0; ///< number in the trace, from 1
    /// The first operation of each worker that was there before this chunk.
    std::vector<std::uint32_t> first{};
};

/// Where the block is that a slot stands for. A slot that is freed is used again from the next
/// chunk on, so that no two blocks wait for each other inside of one.
struct block_slot {
    std::byte* block;
    std::uint64_t size;              ///< as requested
    std::uint64_t event;             ///< that it was handed out at; kept by verification
    std::atomic<std::uint32_t> turn; ///< publications so far
    std::uint8_t alignment_log2;     ///< as requested
};
static_assert(sizeof(block_slot) == 32, "two a cache line");
static_assert(std::atomic<std::uint32_t>::is_always_lock_free, "it is shared between processes");

} // namespace resident::replay
