/// From the events of a trace to chunks of operations.
#pragma once

#include "replay/operation.hpp"
#include "trace/event.hpp"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace resident::replay {

/// Where events come from, in the order of their sequence numbers.
class event_source {
public:
    /// Returns: whether there was one more.
    virtual bool next(trace::event& event) = 0;

protected:
    ~event_source() = default;
};

/// What a trace holds that cannot be replayed as it stands.
struct decoding_notes {
    std::uint64_t unknown_frees = 0;         ///< of blocks that no event allocated: left out
    std::uint64_t unknown_reallocations = 0; ///< the same: taken for allocations
    /// Of addresses that were in use: whoever freed them was not seen, so they are freed here.
    std::uint64_t implied_frees = 0;
};

/// Memory: linear in the blocks and threads that live at once, and the operations of a chunk.
class decoder {
public:
    explicit decoder(event_source& events) : events_(events) {}

    /// Effects: fills `into` with as many operations as have room, at least 8.
    /// Returns: whether there was one at all; if not, the trace is at its end, or failed().
    bool next(chunk& into);

    /// Why the events cannot be those of a process, naming the last one; empty if they can so far.
    /// What one event alone may hold, the reader of the file has checked (trace/format.hpp).
    [[nodiscard]] const std::string& failure() const noexcept { return failure_; }
    [[nodiscard]] std::uint64_t events() const noexcept { return events_seen_; }
    [[nodiscard]] const decoding_notes& notes() const noexcept { return notes_; }
    /// So far, and thus the slots and workers that executing takes.
    [[nodiscard]] std::uint32_t most_slots() const noexcept {
        return static_cast<std::uint32_t>(slots_.size());
    }
    [[nodiscard]] std::uint32_t most_workers() const noexcept {
        return static_cast<std::uint32_t>(workers_.size());
    }
    /// The event from which on there are that many workers; 0 if there is none.
    [[nodiscard]] std::uint64_t most_workers_event() const noexcept { return workers_event_; }

private:
    struct slot_state {
        std::uint64_t size = 0;
        std::uint32_t last = no_operation; ///< the last operation on it in this chunk
        std::uint32_t turn = 0;            ///< publications so far
        std::uint8_t alignment_log2 = 0;
    };
    struct worker_state {
        std::uint32_t last = no_operation;  ///< in this chunk
        std::uint32_t begin = no_operation; ///< begin_thread, if in this chunk
    };

    void begin_chunk(chunk& into);
    void take(const trace::event& event);
    void allocate(const trace::event& event);
    void free(const trace::event& event);
    void reallocate(const trace::event& event);
    void free_slot(std::uint32_t worker, std::uint32_t slot);
    void resize(std::uint32_t slot, const trace::event& event);
    std::uint32_t worker_of(std::uint32_t thread);
    void end_worker(std::uint32_t thread);
    std::uint32_t take_slot();
    operation& append(std::uint32_t worker, action kind);
    void append_on_slot(std::uint32_t worker, action kind, std::uint32_t slot);

    event_source& events_;
    chunk* into_ = nullptr;
    std::uint64_t events_seen_ = 0;
    std::unordered_map<std::uint64_t, std::uint32_t> live_; ///< slots by address
    std::vector<slot_state> slots_;
    std::uint64_t bytes_ = 0;            ///< in use, as requested
    std::vector<std::uint32_t> touched_; ///< slots with an operation in this chunk
    std::vector<std::uint32_t> free_slots_;
    std::vector<std::uint32_t> freed_; ///< in this chunk
    std::unordered_map<std::uint32_t, std::uint32_t> worker_by_thread_;
    std::vector<worker_state> workers_;
    std::uint64_t workers_event_ = 0; ///< where the last of them was made
    std::vector<std::uint32_t> free_workers_;
    decoding_notes notes_;
    std::string failure_;
};

} // namespace resident::replay
