/// How much may still be locked and populated, and why not more.
#pragma once

#include "os/kernel.hpp"
#include "resident/error.hpp"

#include <cstddef>

namespace resident::os {

/// Kept free in every cgroup and in RAM: populating up to the last byte is met by the OOM killer,
/// not by an error (kernel-facts: measured with a margin of 8 MiB).
inline constexpr std::size_t populate_margin = std::size_t{8} << 20;

/// Reads RLIMIT_MEMLOCK, VmLck, CAP_IPC_LOCK, MemAvailable, vm.overcommit_memory and the limit and
/// usage of every ancestor memory cgroup (v1 and v2, whichever is mounted, innermost first).
/// What cannot be read is left at "unlimited": absence of a file is absence of a limit.
/// Complexity: about 20 system calls, 0.1 ms. Not real-time safe.
[[nodiscard]] headroom_snapshot read_headroom() noexcept;

/// Bytes that may still be locked: soft limit minus locked; `unlimited` with CAP_IPC_LOCK.
[[nodiscard]] std::size_t lockable(const headroom_snapshot& snapshot) noexcept;

/// What refuses a request; `details.cause` tells, `details.reason` names the value and the bound.
struct refusal {
    bool refused = false;
    error_details details{};
};

/// Effects: raises the soft memlock limit to the hard one if `bytes_to_lock` needs that and no
/// more. Refuses if and only if `bytes_to_lock` exceed lockable(), or `bytes_to_populate` plus
/// populate_margin exceed what some cgroup or RAM leaves. `details.headroom` is the snapshot.
refusal check_headroom(std::size_t bytes_to_lock, std::size_t bytes_to_populate) noexcept;

/// The same without the memlock part; for the steps of populating.
refusal check_populate_headroom(std::size_t bytes_to_populate) noexcept;

/// The error of a refusal, on behalf of `subject`.
[[nodiscard]] error make_refusal_error(const refusal& refused, const char* subject) noexcept;

/// Decodes a failed call: the true cause of `error_number` from `operation` in the light of
/// `headroom` as read now, with reason filled in. `subject` is copied.
/// `bytes_asked` 0 stands for the whole address space (mlockall). `huge_page_size`, in bytes, tells
/// that the mapping is one of reserved huge pages: then ENOMEM and EFAULT mean that their pool is
/// short. `error_number` 0 with operation::verify means that the proof of residency failed.
[[nodiscard]] error make_error(operation failed, int error_number, std::size_t bytes_asked,
                               const char* subject, std::size_t huge_page_size = 0) noexcept;

/// An error of the caller's making: cause::invalid_argument, with `reason` (printf style).
[[gnu::format(printf, 2, 3)]] [[nodiscard]] error
make_argument_error(const char* subject, const char* reason, ...) noexcept;

/// Throws `failure`, or in a build without exceptions prints it on stderr and aborts.
[[noreturn]] void raise(const error& failure);

} // namespace resident::os
