#include "support/guarded_cgroup.hpp"

#include <unistd.h>

namespace resident::test {

std::unique_ptr<guarded_cgroup> guarded_cgroup::create(const std::string& name, std::size_t limit,
                                                       std::string& reason) {
    const std::string own_name = name + "-" + std::to_string(getpid());
    const std::string directory = os::memory_cgroup::directory_of(own_name, reason);
    if (directory.empty())
        return nullptr;
    std::unique_ptr<guarded_cgroup> made(new guarded_cgroup);
    made->guardian_ = os::cleanup_guardian::start(reason);
    if (made->guardian_ == nullptr)
        return nullptr;
    if (!made->guardian_->announce_cgroup(directory)) {
        reason = "the process that is to clean up has ended";
        return nullptr;
    }
    made->group_ = os::memory_cgroup::create(own_name, limit, reason);
    return made->group_ != nullptr ? std::move(made) : nullptr;
}

} // namespace resident::test
