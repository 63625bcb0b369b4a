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

/// What a call has the thread do. A signal handler can run within each but the last.
enum class occupation : unsigned char {
    nothing,
    calling,   ///< the next allocator: what that calls itself is a part of the call
    moving,    ///< the same, with a number taken that the thread's next record must have
    appending, ///< a record
    joining,   ///< the recording, with signals held: what comes is the recorder's own
};

struct thread_state {
    /// Of the recording that the thread takes part in. Neither this nor 0 at first.
    std::uint64_t session = ~std::uint64_t{0};
    std::uintptr_t frame = 0; ///< where on the stack the call is that occupies the thread
    occupation busy = occupation::nothing;
    bool ended = false; ///< its thread_end is written
    std::uint32_t number = 0;
    std::uint32_t block_bytes = 0;
    trace::block_header* block = nullptr;
    trace::record_encoder encoder;
};

extern recording* current;
extern thread_local constinit thread_state this_thread_state;

/// The cold part of a call's begin, at `frame` on the stack. Returns: whether it is to be recorded.
/// If not it is counted as missing, or a part of another call.
bool join(thread_state& thread, const void* caller, std::uintptr_t frame) noexcept;
/// Another block. Returns: whether there is one; otherwise recording has stopped, or this is a
/// forked child that goes on with a call of its parent.
bool replenish(thread_state& thread, std::uint64_t first_number) noexcept;
/// Gives the thread's block back; what it has written stays in the file.
void drop_block(thread_state& thread) noexcept;
/// Counts a call that comes after the recording has stopped.
void miss() noexcept;

/// Counts a call that comes while the thread can record none.
void count_missing_call() noexcept;

/// Sets up the counters and hooks, once the C library is there. Idempotent.
void set_up() noexcept;

/// One call of the allocator by the program.
class recorded_call {
public:
    /// `caller`: the address to return to. It tells the program's calls from the allocator's own.
    [[gnu::always_inline]] explicit recorded_call(const void* caller) noexcept
        : session_(current->session.load(std::memory_order_relaxed)) {
        const auto frame = reinterpret_cast<std::uintptr_t>(this);
        if ((this_thread_state.session != session_ ||
             this_thread_state.busy != occupation::nothing) &&
            !join(this_thread_state, caller, frame)) [[unlikely]] {
            session_ = 0;
            return;
        }
        session_ = this_thread_state.session;
        busy_before_ = this_thread_state.busy;
        frame_before_ = this_thread_state.frame;
        this_thread_state.frame = frame;
        occupy(occupation::calling);
    }
    ~recorded_call() {
        if (session_ == 0)
            return;
        occupy(busy_before_);
        this_thread_state.frame = frame_before_;
    }
    recorded_call(const recorded_call&) = delete;
    recorded_call& operator=(const recorded_call&) = delete;

    /// To be asked before a number is taken: whether the call is recorded, and the recording still
    /// that in which it began. A child forked by a signal handler goes on with its parent's call,
    /// which the parent records.
    [[nodiscard]] bool begin_record() noexcept {
        if (session_ == 0)
            return false;
        occupy(occupation::appending);
        if (is_current()) [[likely]]
            return true;
        miss();
        occupy(occupation::calling);
        return false;
    }

    [[nodiscard]] static std::uint64_t take_number() noexcept {
        return current->next_number.fetch_add(1, std::memory_order_acq_rel);
    }

    /// Between begin_record(), with a number taken, and another begin_record().
    static void call_with_number() noexcept { occupy(occupation::moving); }

    /// Inlined, so that of `what` only that remains which its kind has.
    [[gnu::always_inline]] void note(const trace::record& what) noexcept {
        if (this_thread_state.encoder.has_room() || replenish(this_thread_state, what.number)) {
            this_thread_state.encoder.append(what);
            // After the record: a process that ends in between has one more than it counted. A
            // child that was forked in between has written the same as its parent will.
            if (is_current()) [[likely]]
                __atomic_store_n(&this_thread_state.block->records,
                                 this_thread_state.block->records + 1, __ATOMIC_RELEASE);
            // Rare, and a block for each: nothing is called later that could give it back.
            if (this_thread_state.ended)
                drop_block(this_thread_state);
        } else {
            miss();
        }
        occupy(occupation::calling);
    }

private:
    [[nodiscard]] bool is_current() const noexcept {
        return current->session.load(std::memory_order_relaxed) == session_;
    }
    static void occupy(occupation with) noexcept {
        std::atomic_signal_fence(std::memory_order_seq_cst);
        this_thread_state.busy = with;
        std::atomic_signal_fence(std::memory_order_seq_cst);
    }

    std::uint64_t session_; ///< 0: not recorded
    std::uintptr_t frame_before_ = 0;
    occupation busy_before_ = occupation::nothing;
};

} // namespace resident::recorder
