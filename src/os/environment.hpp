/// Where this process runs, as far as it decides who sets its limits and how.
#pragma once

#include <array>
#include <cstdint>

namespace resident::os {

/// Who sets the memlock limit.
enum class limit_setter : std::uint8_t {
    login,        ///< PAM, from limits.d, at login
    service,      ///< the system's systemd, from a unit file
    user_manager, ///< the user's own systemd: desktop sessions and user services
    container,    ///< docker, podman, LXC, systemd-nspawn
    kubernetes,   ///< a pod's security context
};

struct environment {
    limit_setter setter = limit_setter::login;
    std::array<char, 128> unit{}; ///< of a service: "name.service"; 0-terminated
    std::array<char, 64> user{};  ///< name of the effective user, or its number; 0-terminated
};

/// Reads /proc/self/cgroup, the marks of containers, and /etc/passwd. What cannot be read leaves
/// the defaults. Not real-time safe.
[[nodiscard]] environment read_environment() noexcept;

} // namespace resident::os
