/// A memory cgroup of one's own, to put pressure in; v1 or v2, whichever is mounted.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <sys/types.h>

namespace resident::os {

/// Removes the cgroup when destroyed (its processes must have ended or left).
class memory_cgroup {
public:
    /// Makes it below the cgroup this process is in, so that every limit in force stays in force;
    /// where version 2 forbids that (a cgroup with processes has no such children), below the
    /// nearest ancestor that allows it.
    /// Returns null, and why in `reason`, if and only if it cannot be made here (no root, no
    /// memory controller, one of that name is there). `limit` in bytes of memory; swap is not
    /// limited.
    static std::unique_ptr<memory_cgroup> create(const std::string& name, std::size_t limit,
                                                 std::string& reason);
    /// The directory that create() would make. Empty, with why in `reason`, where there is none.
    static std::string directory_of(const std::string& name, std::string& reason);

    ~memory_cgroup();
    memory_cgroup(const memory_cgroup&) = delete;
    memory_cgroup& operator=(const memory_cgroup&) = delete;

    /// Moves a process in (0: the calling one).
    bool admit(pid_t process);
    [[nodiscard]] std::size_t usage() const;                                 ///< bytes
    [[nodiscard]] const std::string& path() const noexcept { return path_; } ///< directory

    /// Effects: ends every process in the cgroup `directory` and removes it; waits up to two
    /// seconds for the kernel to let go of them. Returns: whether it is gone.
    static bool remove(const std::string& directory);

private:
    explicit memory_cgroup(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

} // namespace resident::os
