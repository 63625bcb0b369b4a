/// resident::fault_trap: stops at the first page fault in a scope, and tells where.
#pragma once

#include "resident/result.hpp"

#include <cstdint>

namespace resident {

/// A page fault that a trap met.
struct trapped_fault {
    const void* address = nullptr;     ///< the data that was touched
    const void* instruction = nullptr; ///< the code that touched it; behind the system call if that
                                       ///< did. Null where the architecture is not known
};

namespace detail {
struct armed_trap;
}

/// While it lives, the first page fault of the thread that made it stops the program: by default a
/// message on stderr with the address, the instruction and its symbol, then abort(). With a
/// handler, the handler runs at the faulting instruction, in a signal handler (SIGTRAP), and the
/// program then goes on; later faults of the scope call it again. Faults that the handler itself
/// makes are not reported.
///
///     resident: page fault of thread 4242
///       touched  0x7f1c5a2f3000
///       by       0x55d0c8a01b9e, filter_step+0x1e in ./controller
///
/// A symbol is named where the dynamic linker knows it: link with -rdynamic. Otherwise the offset
/// in the object is printed, for addr2line.
///
/// Built on perf_event_open with a software page-fault event, sample_period 1 and sigtrap
/// (Linux 5.13). As an ordinary user with kernel.perf_event_paranoid at 2 the event leaves out
/// faults taken inside system calls; `sees_kernel()` tells.
/// Takes over SIGTRAP while one lives, and unblocks it in its thread; other traps go to the former
/// action. One at a time per thread, any number of threads; destroyed by the thread that made it.
/// A forked child has no trap. Not real-time safe to make or destroy; free while nothing faults.
class fault_trap {
public:
    using handler = void (*)(const trapped_fault& fault, void* context);

    /// Throws: `resident::error` if and only if the kernel refuses the event, or this thread has a
    /// trap already. In a build without exceptions: prints the error and aborts.
    fault_trap();
    /// Requires: `on_fault` is async-signal-safe. Null: the default.
    explicit fault_trap(handler on_fault, void* context = nullptr);
    /// The same, without throwing.
    static result<fault_trap> create(handler on_fault = nullptr, void* context = nullptr);

    ~fault_trap();
    fault_trap(fault_trap&& other) noexcept : armed_(other.armed_) { other.armed_ = nullptr; }
    fault_trap& operator=(fault_trap&&) = delete;

    /// Whether faults inside system calls are seen as well. False if moved from.
    [[nodiscard]] bool sees_kernel() const noexcept;

private:
    struct unarmed {};
    explicit fault_trap(unarmed) noexcept {}

    detail::armed_trap* armed_ = nullptr;
};

} // namespace resident
