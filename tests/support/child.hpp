/// Running a test's body in a child process, with other limits and privileges.
#pragma once

#include "os/harness/memory_cgroup.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <sys/types.h>

namespace resident::test {

/// Where the body runs. Needs root for all but the lowering of limits; see can_change_privileges().
struct child_options {
    uid_t uid = 0;             ///< the user, and group, to become; 0: stay
    bool keep_ipc_lock = true; ///< false: without CAP_IPC_LOCK, otherwise as privileged as before
    std::optional<std::uint64_t> memlock_soft{}; ///< bytes
    std::optional<std::uint64_t> memlock_hard{}; ///< bytes; left out: what it was, or the soft one
    os::memory_cgroup* cgroup = nullptr;         ///< to join
};

struct child_result {
    bool exited = false; ///< by itself: exit_status holds. Otherwise signal does
    int exit_status = -1;
    int signal = 0;
    bool timed_out = false; ///< killed after 60 s
    std::string output;     ///< stdout and stderr

    /// Whether the body came to its end without a failed expectation.
    [[nodiscard]] bool passed() const noexcept { return exited && exit_status == 0; }
};

/// What the child exits with when the options cannot be had, and when an expectation fails.
inline constexpr int child_setup_failed = 98;
inline constexpr int child_expectation_failed = 99;

/// Effects: forks; the child runs `body` and then ends without running exit handlers. A failed
/// gtest expectation in it shows in the status and in the output.
///
///     const auto child = run_in_child({.keep_ipc_lock = false, .memlock_soft = 0}, [] {
///         EXPECT_...;
///     });
///     ASSERT_TRUE(child.passed()) << child.output;
child_result run_in_child(const child_options& options, const std::function<void()>& body);

/// Whether this process may change users, capabilities and limits.
[[nodiscard]] bool can_change_privileges();

} // namespace resident::test
