/// Preparing a process and its threads, so that what is not in an arena does not fault either.
#pragma once

#include "resident/result.hpp"
#include "resident/size_literals.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <span>
#include <string_view>

namespace resident {

/// mlockall by choice.
struct lock_all_memory {
    bool current = false;  ///< MCL_CURRENT: all that is mapped now
    bool future = false;   ///< MCL_FUTURE: all that will be mapped. With a finite limit a later
                           ///< malloc fails: lock only the arena instead
    bool on_fault = false; ///< MCL_ONFAULT: lock pages as they are touched, populate nothing
};

/// What prepare_process shall do; each item by itself.
struct process_options {
    bool raise_memory_limit = true; ///< RLIMIT_MEMLOCK, soft to hard
    /// malloc neither returns memory to the kernel nor maps big blocks (M_TRIM_THRESHOLD,
    /// M_MMAP_MAX), so that what was touched once stays.
    bool keep_malloc_memory = true;
    /// malloc opens no arena of its own for other threads (M_ARENA_MAX=1): they would fault anew.
    bool single_malloc_arena = true;
    lock_all_memory lock_all{};
    bool exclude_from_merging = true; ///< KSM off: prctl(PR_SET_MEMORY_MERGE, 0)
    bool touch_clock = true;          ///< the first clock_gettime faults in [vvar]
    /// Locks what the program and its shared objects consist of (code, constants, variables), the
    /// program first, each segment that fits the limit; the others are populated at least. Objects
    /// loaded later are not included. Binding must be done: link with -z now.
    bool lock_code = true;
    /// Bytes of the memlock limit that lock_code leaves for arenas and stacks.
    std::size_t leave_lockable = 5_MiB;
};

/// What prepare_this_thread shall do.
struct thread_options {
    std::size_t stack = 256_KiB; ///< bytes to populate and lock below the current frame; 0: none
    /// Forks of other threads leave no copy-on-write faults on this stack (MADV_DONTFORK). This
    /// thread itself must not fork(): its child would have no stack; posix_spawn is fine. Undone
    /// when the thread ends. Never for the main thread.
    bool exclude_stack_from_fork = true;
    /// Memory policy "preferred, this node": keeps NUMA balancing from unmapping pages.
    bool prefer_local_node = true;
};

/// What became of one item.
enum class preparation_outcome : std::uint8_t {
    done,
    not_asked,
    not_supported, ///< by this kernel, C library or build; by sanitizers' runtimes neither
    failed,        ///< preparation_step::error_number tells
    done_in_part,  ///< lock_code alone: some segments are populated and not locked
};

struct preparation_step {
    std::string_view name; ///< static storage
    preparation_outcome outcome = preparation_outcome::not_asked;
    int error_number = 0;  ///< errno if it failed
    std::size_t bytes = 0; ///< locked or populated by this step
};

/// What became of each item, in the order it was done.
class preparation {
public:
    static constexpr std::size_t max_steps = 12;
    [[nodiscard]] std::span<const preparation_step> steps() const noexcept {
        return {steps_.data(), count_};
    }
    /// Whether nothing that was asked for failed or was done in part (not supported by this kernel
    /// is no failure).
    [[nodiscard]] bool complete() const noexcept;
    void add(const preparation_step& step) noexcept { steps_[count_++] = step; }

private:
    std::array<preparation_step, max_steps> steps_{};
    std::size_t count_ = 0;
};
/// One line a step.
std::ostream& operator<<(std::ostream& out, const preparation& done);

/// Effects: does what `options` asks, for the whole process; goes on after an item that fails.
/// Call early in main, before other threads start. What lock_code locks stays locked; calling
/// again locks it once more, which is harmless.
/// Fails if and only if mlockall was asked for and refused, or would exceed the limit, a cgroup or
/// RAM: everything else is reported by step. Not real-time safe.
result<preparation> prepare_process(const process_options& options = {});

/// Effects: munlockall, except that pages held by page_locks, prepared stacks, prepared code and
/// arenas are locked again.
/// Fails if and only if the kernel refuses the one or the other. Any thread. Not real-time safe.
status unlock_all_memory();

/// Effects: does what `options` asks, for the calling thread: grows, populates and locks its stack,
/// from `stack` bytes below the current frame to its top, thread-local variables included. Calling
/// again replaces what the call before did; stack locks end with the thread.
/// Where the C library keeps its record of a thread at the top of the stack (glibc does), the page
/// of that record stays shared with forked children: such a fork costs one fault there.
/// Fails if and only if the stack is shorter than asked, or cannot be locked; then nothing but the
/// node preference has changed.
/// Not real-time safe: call it before the thread becomes real-time.
result<preparation> prepare_this_thread(const thread_options& options = {});

} // namespace resident
