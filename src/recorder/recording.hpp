/// What goes on beside each call of the allocator: numbers, and records in the thread's block.
///
/// Every thread appends to a block of its own, which is a part of the trace file mapped into
/// memory: no lock, no system call, no signal handler, and nothing to flush. Whatever ends the
/// process, what was appended is in the file. The threads share one counter, from which each record
/// takes its number: two threads that pass a block on must agree on which call came first, and no
/// clock promises that.
#pragma once

#include "os/harness/recording_system.hpp"
#include "trace/format.hpp"
#include "trace/record_encoder.hpp"

#include <atomic>

namespace resident::recorder {

/// Of the process. In memory that the kernel wipes in a forked child, however it was forked, so
/// that the child cannot take its parent's recording for its own: it begins anew.
struct recording {
    enum class stage : std::uint32_t { none, beginning, going_on, stopped, off };

    /// Not 0 while the process records.
    std::atomic<std::uint64_t> session;
    std::atomic<stage> at;
    std::atomic<std::uint32_t> threads;
    trace::file_header* header;
    os::recording_file file;
    alignas(64) std::atomic<std::uint64_t> next_number;
    alignas(64) std::atomic<std::uint64_t> file_bytes;
};

/// Why a call is not recorded now.
enum class occupation : unsigned char {
    nothing,
    calling,   ///< the next allocator, or setting up: what happens within is a part of the call
    appending, ///< a record: what comes now comes from a signal handler, and is counted
};

struct thread_state {
    /// Of the recording that the thread takes part in. Neither this nor 0 at first.
    std::uint64_t session = ~std::uint64_t{0};
    occupation busy = occupation::nothing;
    bool ended = false; ///< its thread_end is written
    std::uint32_t number = 0;
    std::uint32_t block_bytes = 0;
    trace::block_header* block = nullptr;
    trace::record_encoder encoder;
};

extern recording* current;
extern thread_local constinit thread_state this_thread_state;

/// The cold part of enter(): begins the recording, or the thread's part in it; or counts the call.
bool join(thread_state& thread) noexcept;
/// Another block. Returns: whether there is one; otherwise recording has stopped.
bool replenish(thread_state& thread, std::uint64_t first_number) noexcept;
/// Gives the thread's block back; what it has written stays in the file.
void drop_block(thread_state& thread) noexcept;

/// Sets up the counters and hooks, once the C library is there. Idempotent.
void set_up() noexcept;

/// One call of the allocator by the program.
class recorded_call {
public:
    recorded_call() noexcept : thread_(this_thread_state) {
        recorded_ = (thread_.session == current->session.load(std::memory_order_relaxed) &&
                     thread_.busy == occupation::nothing) ||
                    join(thread_);
        if (recorded_)
            occupy(occupation::calling);
    }
    ~recorded_call() {
        if (recorded_)
            occupy(occupation::nothing);
    }
    recorded_call(const recorded_call&) = delete;
    recorded_call& operator=(const recorded_call&) = delete;

    [[nodiscard]] bool recorded() const noexcept { return recorded_; }

    [[nodiscard]] static std::uint64_t take_number() noexcept {
        return current->next_number.fetch_add(1, std::memory_order_acq_rel);
    }

    void note(trace::record what) noexcept {
        occupy(occupation::appending);
        if (thread_.encoder.has_room() || replenish(thread_, what.number)) {
            thread_.encoder.append(what);
            // After the record: a process that ends in between has one more than it counted.
            __atomic_store_n(&thread_.block->records, thread_.block->records + 1, __ATOMIC_RELEASE);
            // Rare, and a block for each: nothing is called later that could give it back.
            if (thread_.ended)
                drop_block(thread_);
        }
        occupy(occupation::calling);
    }

private:
    void occupy(occupation with) noexcept {
        thread_.busy = with;
        std::atomic_signal_fence(std::memory_order_seq_cst);
    }

    thread_state& thread_;
    bool recorded_;
};

} // namespace resident::recorder
