#include "support/child.hpp"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <thread>

#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace resident::test {
namespace {

using clock = std::chrono::steady_clock;
constexpr std::chrono::seconds time_limit{60};

void must(bool done, const char* what) {
    if (done)
        return;
    std::fprintf(stderr, "the child cannot %s: %s\n", what, std::strerror(errno));
    std::fflush(nullptr);
    _exit(child_setup_failed);
}

void drop_ipc_lock() {
    must(prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK, 0, 0, 0) == 0, "bound its capabilities");
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
    must(syscall(SYS_capget, &header, sets.data()) == 0, "read its capabilities");
    const unsigned others = ~(1U << CAP_IPC_LOCK);
    sets[0].effective &= others;
    sets[0].permitted &= others;
    sets[0].inheritable &= others;
    must(syscall(SYS_capset, &header, sets.data()) == 0, "drop CAP_IPC_LOCK");
}

void set_memory_limit(const child_options& options) {
    if (!options.memlock_soft && !options.memlock_hard)
        return;
    rlimit limit{};
    must(getrlimit(RLIMIT_MEMLOCK, &limit) == 0, "read its memory limit");
    if (options.memlock_soft)
        limit.rlim_cur = *options.memlock_soft;
    limit.rlim_max =
        options.memlock_hard ? *options.memlock_hard : std::max(limit.rlim_max, limit.rlim_cur);
    limit.rlim_cur = std::min(limit.rlim_cur, limit.rlim_max);
    must(setrlimit(RLIMIT_MEMLOCK, &limit) == 0, "set its memory limit");
}

void become(uid_t user) {
    if (user == 0)
        return;
    must(setgroups(0, nullptr) == 0, "leave its groups");
    must(setresgid(user, user, user) == 0, "change its group");
    must(setresuid(user, user, user) == 0, "change its user");
    // Changing users hands /proc/self to root: its files could no longer be opened.
    must(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0, "stay dumpable");
}

/// Returns: whether every expectation in `body` held.
bool run_body(const std::function<void()>& body) {
    ::testing::TestPartResultArray results;
    {
        const ::testing::ScopedFakeTestPartResultReporter reporter(
            ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ALL_THREADS, &results);
#ifdef __cpp_exceptions
        try {
            body();
        } catch (const std::exception& failure) {
            ADD_FAILURE() << "the child's body threw: " << failure.what();
        } catch (...) {
            ADD_FAILURE() << "the child's body threw";
        }
#else
        body();
#endif
    }
    bool passed = true;
    for (int index = 0; index < results.size(); ++index) {
        const ::testing::TestPartResult& result = results.GetTestPartResult(index);
        if (!result.failed())
            continue;
        passed = false;
        std::fprintf(stderr, "%s:%d: %s\n", result.file_name(), result.line_number(),
                     result.message());
    }
    return passed;
}

[[noreturn]] void run_child(const child_options& options, const std::function<void()>& body,
                            int output) {
    must(dup2(output, STDOUT_FILENO) >= 0 && dup2(output, STDERR_FILENO) >= 0, "be heard");
    close(output);
    if (options.cgroup != nullptr)
        must(options.cgroup->admit(0), "join the cgroup");
    set_memory_limit(options);
    if (!options.keep_ipc_lock)
        drop_ipc_lock();
    become(options.uid);
    const bool passed = run_body(body);
    std::fflush(nullptr);
    _exit(passed ? 0 : child_expectation_failed);
}

/// Reads what is there. Returns: false at the end of the output.
bool drain(int input, std::string& output) {
    std::array<char, 4096> buffer;
    const ssize_t length = read(input, buffer.data(), buffer.size());
    if (length > 0)
        output.append(buffer.data(), static_cast<std::size_t>(length));
    return length > 0 || (length < 0 && errno == EINTR);
}

void record(int status, child_result& result) {
    result.exited = WIFEXITED(status);
    if (result.exited)
        result.exit_status = WEXITSTATUS(status);
    if (WIFSIGNALED(status))
        result.signal = WTERMSIG(status);
}

/// Follows the child to its end; a grandchild that holds the pipe open does not keep it waiting.
child_result follow(pid_t child, int input) {
    child_result result;
    const auto deadline = clock::now() + time_limit;
    bool ended = false;
    bool more = true;
    int status = 0;
    while (more || !ended) {
        pollfd readable{input, POLLIN, 0};
        const bool ready = more && poll(&readable, 1, ended ? 0 : 20) > 0;
        if (ended && !ready)
            break;
        if (ready)
            more = drain(input, result.output);
        if (!ended)
            ended = waitpid(child, &status, WNOHANG) == child;
        if (!ended && clock::now() > deadline) {
            result.timed_out = true;
            kill(child, SIGKILL);
            ended = waitpid(child, &status, 0) == child;
        }
        if (!ended && !more)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    record(status, result);
    return result;
}

} // namespace

child_result run_in_child(const child_options& options, const std::function<void()>& body) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0)
        return {};
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        run_child(options, body, ends[1]);
    }
    close(ends[1]);
    child_result result;
    if (child > 0)
        result = follow(child, ends[0]);
    close(ends[0]);
    return result;
}

bool can_change_privileges() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
    if (syscall(SYS_capget, &header, sets.data()) != 0)
        return false;
    const unsigned needed = 1U << CAP_SETUID | 1U << CAP_SETGID | 1U << CAP_SETPCAP;
    return (sets[0].effective & needed) == needed;
}

} // namespace resident::test
