/// Executing the operations of a trace on one source of blocks.
#pragma once

#include "replay/block_sources.hpp"
#include "replay/crew.hpp"
#include "replay/findings.hpp"
#include "replay/operation.hpp"
#include "replay/pattern.hpp"
#include "resident/fault_counter.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

namespace resident::replay {

/// What a replay does to the blocks beside asking for them.
enum class treatment : std::uint8_t {
    touch, ///< writes the first byte of each page of a block, and the last one
    check, ///< fills each block with a pattern of its own, and looks for it when it is freed
};

/// Memory that a replay works on; it may be shared with the process that decodes.
struct workplace {
    std::span<const operation> operations;
    std::span<block_slot> slots;
};

/// What all chunks together came to.
struct execution {
    std::uint64_t nanoseconds = 0; ///< from the start of each chunk until all threads are done
    /// Of the threads, while at their operations on blocks: without making and joining threads.
    faults page_faults{};
    finding refusal{}; ///< the first refused request, by event
    finding flaw{};    ///< the first block that was not as it should be, by event
    /// Bytes that the source counts as in use after every block was freed: it lost them.
    std::uint64_t left_in_use = 0;
};

/// Runs chunk after chunk, each recorded thread as a thread. The first worker is the thread that
/// calls run(): a program's main thread is one in the replay, too.
template <class Source, treatment Treatment>
class executor {
public:
    /// Throws: as crew.
    executor(Source& source, const workplace& where, std::uint32_t workers, crew::surrender give_up,
             void* context)
        : source_(source), where_(where), give_up_(give_up), context_(context), results_(workers),
          crew_({.workers = workers,
                 .run_list = run_list,
                 .give_up = give_up_for_all,
                 .context = this}) {}

    /// Effects: executes the operations of a chunk whose events count from `first_event`.
    void run(std::span<const std::uint32_t> first, std::uint64_t first_event) {
        first_event_ = first_event;
        const auto begin = std::chrono::steady_clock::now();
        crew_.run(first);
        done_.nanoseconds += static_cast<std::uint64_t>(
            std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count());
        gather();
    }

    /// Effects: ends the threads; then frees, on this one, every block that is left, and sees what
    /// the source still counts as in use.
    void finish() {
        crew_.finish();
        for (block_slot& slot : where_.slots) {
            if (slot.block != nullptr)
                free_block(results_[0], slot, 0);
        }
        gather();
        if constexpr (requires { source_.bytes_in_use(); })
            done_.left_in_use = source_.bytes_in_use();
    }

    [[nodiscard]] const execution& done() const noexcept { return done_; }

private:
    static constexpr std::size_t page = 4096;

    /// Counts the faults of this thread into `taken`, while it is not paused.
    class fault_tally {
    public:
        explicit fault_tally(faults& taken) noexcept : taken_(taken) {}
        void pause() noexcept {
            const faults more = counter_.count();
            taken_.minor += more.minor;
            taken_.major += more.major;
        }
        void go_on() noexcept { counter_.restart(); }

    private:
        faults& taken_;
        fault_counter counter_{};
    };

    struct alignas(64) worker_result {
        faults page_faults{};
        finding refusal{};
        finding flaw{};
    };

    static void give_up_for_all(void* self, std::string_view why) {
        auto& here = *static_cast<executor*>(self);
        here.give_up_(here.context_, why);
    }

    static bool run_list(void* self, std::uint32_t worker, std::uint32_t first) {
        auto& here = *static_cast<executor*>(self);
        worker_result& result = here.results_[worker];
        fault_tally tally(result.page_faults);
        const bool stays = here.execute(result, tally, first);
        tally.pause();
        return stays;
    }

    /// The C library asks malloc for what a thread needs, and frees it once that is joined: memory
    /// of the process, which may fault whoever the source is.
    bool execute(worker_result& result, fault_tally& tally, std::uint32_t first) {
        const operation* const operations = where_.operations.data();
        for (std::uint32_t index = first; index != no_operation;) {
            const operation& now = operations[index];
            index = now.next;
            switch (now.kind) {
            case action::begin_thread:
                tally.pause();
                crew_.begin(now.worker, now.slot);
                tally.go_on();
                continue;
            case action::end_thread:
                tally.pause();
                crew_.end(now.worker);
                tally.go_on();
                continue;
            case action::leave:
                return false;
            default:
                execute_on_block(result, now);
            }
        }
        return true;
    }

    void execute_on_block(worker_result& result, const operation& now) {
        block_slot& slot = where_.slots[now.slot];
        if (now.waits)
            wait_for_turn(slot, now.turn);
        const std::uint64_t event = first_event_ + now.event;
        switch (now.kind) {
        case action::allocate:
            allocate(result, slot, now, event);
            break;
        case action::free:
            if (slot.block != nullptr)
                free_block(result, slot, event);
            break;
        default:
            reallocate(result, slot, now, event);
        }
        if (now.publishes) {
            slot.turn.store(slot.turn.load(std::memory_order_relaxed) + 1,
                            std::memory_order_release);
            slot.turn.notify_all();
        }
    }

    /// Looks for a moment, then waits in the kernel: the other thread may need this processor.
    static void wait_for_turn(const block_slot& slot, std::uint32_t turn) {
        for (std::uint32_t now = slot.turn.load(std::memory_order_acquire); now != turn;
             now = slot.turn.load(std::memory_order_acquire))
            slot.turn.wait(now, std::memory_order_acquire);
    }

    void allocate(worker_result& result, block_slot& slot, const operation& now,
                  std::uint64_t event) {
        void* const block = source_.allocate(now.size, now.alignment_log2);
        slot.block = static_cast<std::byte*>(block);
        if (block == nullptr)
            return refused(result, now, event);
        take_in(result, slot, now, event);
    }

    void free_block(worker_result& result, block_slot& slot, std::uint64_t event) {
        if constexpr (Treatment == treatment::check)
            check(result, slot, slot.size, event);
        std::byte* const block = slot.block;
        slot.block = nullptr;
        source_.deallocate(block, slot.size, slot.alignment_log2);
    }

    void reallocate(worker_result& result, block_slot& slot, const operation& now,
                    std::uint64_t event) {
        if (slot.block == nullptr) // was refused
            return allocate(result, slot, now, event);
        if constexpr (Treatment == treatment::check)
            check(result, slot, slot.size, event);
        void* const moved = source_.reallocate(slot.block, slot.size, now.size, now.alignment_log2,
                                               slot.alignment_log2);
        if (moved == nullptr)
            return refused(result, now, event);
        slot.block = static_cast<std::byte*>(moved);
        if constexpr (Treatment == treatment::check)
            check(result, slot, std::min<std::uint64_t>(slot.size, now.size), event);
        take_in(result, slot, now, event);
    }

    /// Notes what the slot holds from now on, and writes to the block.
    void take_in(worker_result& result, block_slot& slot, const operation& now,
                 std::uint64_t event) {
        slot.size = now.size;
        slot.alignment_log2 = now.alignment_log2;
        if constexpr (Treatment == treatment::check) {
            slot.event = event;
            const std::size_t alignment = promised_alignment(now.size, now.alignment_log2);
            if (reinterpret_cast<std::uintptr_t>(slot.block) % alignment != 0) // NOLINT
                note(result.flaw, finding{.what = finding::kind::misaligned,
                                          .event = event,
                                          .address = address_of(slot),
                                          .size = now.size,
                                          .alignment = alignment});
            fill_with_pattern(slot.block, now.size, event);
        } else if constexpr (Source::gives_memory) {
            touch(slot.block, now.size);
        }
    }

    static void touch(std::byte* block, std::size_t size) noexcept {
        if (size == 0)
            return;
        volatile std::byte* const bytes = block;
        for (std::size_t place = 0; place < size; place += page)
            bytes[place] = std::byte{1};
        bytes[size - 1] = std::byte{1};
    }

    void check(worker_result& result, const block_slot& slot, std::size_t bytes,
               std::uint64_t event) {
        const pattern_check checked =
            check_pattern(slot.block, bytes, slot.event, first_event_ + where_.operations.size());
        if (checked.intact)
            return;
        note(result.flaw, finding{.what = finding::kind::overwritten,
                                  .event = event,
                                  .block_event = slot.event,
                                  .other_event = checked.other_event,
                                  .address = address_of(slot),
                                  .size = slot.size,
                                  .offset = checked.offset});
    }

    void refused(worker_result& result, const operation& now, std::uint64_t event) {
        note(result.refusal, refusal_of(now, event));
    }

    static std::uint64_t address_of(const block_slot& slot) noexcept {
        return reinterpret_cast<std::uintptr_t>(slot.block); // NOLINT: to be shown
    }

    void gather() {
        for (worker_result& each : results_) {
            done_.page_faults.minor += each.page_faults.minor;
            done_.page_faults.major += each.page_faults.major;
            note(done_.refusal, each.refusal);
            note(done_.flaw, each.flaw);
            each = worker_result{};
        }
    }

    Source& source_;
    const workplace where_;
    crew::surrender give_up_;
    void* context_;
    std::uint64_t first_event_ = 0;
    execution done_;
    std::vector<worker_result> results_;
    crew crew_; // last: its threads use the rest
};

} // namespace resident::replay
