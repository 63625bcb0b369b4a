/// A memory cgroup for a test, gone again even if the test is killed.
#pragma once

#include "os/harness/cleanup_guardian.hpp"
#include "os/harness/memory_cgroup.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace resident::test {

class guarded_cgroup {
public:
    /// A cgroup whose name begins with `name`; `limit` in bytes. Null, and why in `reason`, where
    /// none can be made. Call while this process has one thread.
    static std::unique_ptr<guarded_cgroup> create(const std::string& name, std::size_t limit,
                                                  std::string& reason);

    [[nodiscard]] os::memory_cgroup* get() const noexcept { return group_.get(); }

private:
    guarded_cgroup() = default;
    std::unique_ptr<os::cleanup_guardian> guardian_;
    std::unique_ptr<os::memory_cgroup> group_; ///< removed before the guardian looks for it
};

} // namespace resident::test
