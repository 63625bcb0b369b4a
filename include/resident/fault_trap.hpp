/// resident::fault_trap: stops at the first page fault in a scope, and tells where.
#pragma once

#include "resident/result.hpp"

#include <cstdint>

namespace resident {

/// A page fault that a trap met.
struct trapped_fault {
    const void* address = nullptr;     ///< the data that was touched
    const void* instruction = nullptr; ///< the code that touched it
};

/// While it lives, the first page fault of the thread that made it stops the program: by default a
/// message on stderr with the address, the instruction and its symbol, then abort(). With a
/// handler, the handler runs at the faulting instruction, in a signal handler (SIGTRAP), and the
/// program then goes on; later faults of the scope call it again.
///
/// Built on perf_event_open with a software page-fault event, sample_period 1 and sigtrap
/// (Linux 5.13). As an ordinary user with kernel.perf_event_paranoid at 2 the event leaves out
/// faults taken inside system calls; `sees_kernel()` tells.
/// Takes over SIGTRAP while one lives; one at a time per thread. Not real-time safe to make.
class fault_trap {
public:
    using handler = void (*)(const trapped_fault& fault, void* context);

    /// Throws: `resident::error` if and only if the kernel refuses the event.
    fault_trap();
    explicit fault_trap(handler on_fault, void* context = nullptr);
    static result<fault_trap> create(handler on_fault = nullptr, void* context = nullptr);

    ~fault_trap();
    fault_trap(fault_trap&& other) noexcept;
    fault_trap& operator=(fault_trap&&) = delete;

    /// Whether faults inside system calls are seen as well.
    [[nodiscard]] bool sees_kernel() const noexcept { return sees_kernel_; }

private:
    struct unarmed {};
    explicit fault_trap(unarmed) noexcept {}
    int descriptor_ = -1;
    bool sees_kernel_ = false;
};

} // namespace resident
