/// A memory cgroup of one's own, to put pressure in; v1 or v2, whichever is mounted.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>

namespace resident::os {

/// Removes the cgroup when destroyed (its processes must have ended or left).
class memory_cgroup {
public:
    /// Returns null, and why in `reason`, if and only if it cannot be made here (no root, no
    /// memory controller). `limit` in bytes of memory; swap is not limited.
    static std::unique_ptr<memory_cgroup> create(const std::string& name, std::size_t limit,
                                                 std::string& reason);
    ~memory_cgroup();
    memory_cgroup(const memory_cgroup&) = delete;
    memory_cgroup& operator=(const memory_cgroup&) = delete;

    /// Moves a process in (0: the calling one).
    bool admit(pid_t process);
    [[nodiscard]] std::size_t usage() const;       ///< bytes
    [[nodiscard]] const std::string& path() const noexcept { return path_; }  ///< directory

private:
    explicit memory_cgroup(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

}  // namespace resident::os
