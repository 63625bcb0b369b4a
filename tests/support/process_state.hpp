/// What a process holds, taken before and after, to show that nothing is left over.
#pragma once

#include <cstddef>
#include <iosfwd>

namespace resident::test {

/// VmLck of this process, in bytes.
[[nodiscard]] std::size_t vm_locked_bytes();

/// What the kernel shows of this process: only what malloc, thread stacks and the sanitizers'
/// runtimes do not change by themselves. failing_kernel's books complete it: they are exact.
struct process_state {
    std::size_t locked_bytes = 0;    ///< VmLck
    std::size_t locked_mappings = 0; ///< with VmFlags lo
    std::size_t open_descriptors = 0;
    /// Anonymous mappings without any access, of 1 MiB or more: reservations. Always 0 under
    /// sanitizers, whose own come and go.
    std::size_t reserved_bytes = 0;

    /// As it is now.
    static process_state now();
    friend bool operator==(const process_state&, const process_state&) = default;
};

std::ostream& operator<<(std::ostream& out, const process_state& state);

} // namespace resident::test
