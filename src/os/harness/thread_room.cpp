#include "os/harness/thread_room.hpp"

#include "os/cgroups.hpp"
#include "os/kernel.hpp"
#include "os/process_status.hpp"
#include "os/system_file.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string_view>
#include <system_error>

#include <linux/capability.h>
#include <unistd.h>

namespace resident::os {
namespace {

void keep_tighter(thread_room& tightest, thread_room other, bool shared_by_all) {
    other.left = other.limit - std::min(other.limit, other.in_use);
    if (shared_by_all)
        other.left /= 2;
    if (other.left < tightest.left)
        tightest = std::move(other);
}

void read_cgroup_level(std::string_view directory, std::string_view name, void* context) {
    const std::string files = std::string(directory) + "/pids.";
    const auto limit = read_number((files + "max").c_str()); // "max" is no number
    if (!limit)
        return;
    keep_tighter(*static_cast<thread_room*>(context),
                 {.limit_is = "pids.max of cgroup " + std::string(name),
                  .limit = *limit,
                  .in_use = read_number((files + "current").c_str()).value_or(0),
                  .remedy = "raise it (TasksMax= of a systemd unit, --pids-limit of a container)"},
                 false);
}

/// Threads of this user in all processes that can be seen.
std::uint64_t threads_of_this_user() {
    std::uint64_t threads = 0;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
        if (std::isdigit(static_cast<unsigned char>(entry.path().filename().c_str()[0])) == 0)
            continue;
        const std::string status = entry.path().string() + "/status";
        if (read_field(status.c_str(), "Uid") == ::getuid())
            threads += read_field(status.c_str(), "Threads").value_or(0);
    }
    return threads;
}

bool is_limited_by_user() noexcept {
    return !has_capability(CAP_SYS_RESOURCE) && !has_capability(CAP_SYS_ADMIN);
}

/// "0.00 0.01 0.05 running/all last": those of the whole machine.
std::uint64_t threads_of_all() noexcept {
    line_reader file("/proc/loadavg");
    std::string_view line;
    if (!file.next(line))
        return 0;
    line.remove_prefix(std::min(line.find('/'), line.size()));
    if (!line.empty())
        line.remove_prefix(1);
    return take_number(line).value_or(0);
}

} // namespace

thread_room read_thread_room() {
    thread_room tightest;
    visit_cgroup_levels("pids", read_cgroup_level, &tightest);
    rlimit of_user{};
    if (is_limited_by_user() && system().get_limit(RLIMIT_NPROC, of_user) &&
        of_user.rlim_cur != RLIM_INFINITY) {
        keep_tighter(tightest,
                     {.limit_is = "RLIMIT_NPROC",
                      .limit = of_user.rlim_cur,
                      .in_use = threads_of_this_user(),
                      .remedy = "raise it (ulimit -u, LimitNPROC= of a systemd unit)"},
                     false);
    }
    for (const std::string name : {"threads-max", "pid_max"}) {
        if (const auto limit = read_number(("/proc/sys/kernel/" + name).c_str()))
            keep_tighter(tightest,
                         {.limit_is = "kernel." + name,
                          .limit = *limit,
                          .in_use = threads_of_all(),
                          .remedy = "raise it (sysctl kernel." + name + ")"},
                         true);
    }
    return tightest;
}

} // namespace resident::os
