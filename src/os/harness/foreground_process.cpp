#include "os/harness/foreground_process.hpp"

#include "os/harness/group_witness.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace resident::os {
namespace {

sigset_t signals_to_pass_on() {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH,
                             SIGCONT, SIGPIPE, SIGIO, SIGPWR})
        ::sigaddset(&set, signal);
    return set;
}

/// What a program may have been started with, and hands on to the one it runs.
struct signal_state {
    sigset_t mask;
    struct sigaction child_ends;

    void put_back() const {
        ::sigaction(SIGCHLD, &child_ends, nullptr);
        ::sigprocmask(SIG_SETMASK, &mask, nullptr);
    }
};

/// Blocks `watched`. Where SIGCHLD is ignored the kernel tells no end of a child, and keeps none.
signal_state watch(const sigset_t& watched) {
    signal_state before{};
    ::sigprocmask(SIG_BLOCK, &watched, &before.mask);
    struct sigaction told {};
    told.sa_handler = SIG_DFL;
    ::sigaction(SIGCHLD, &told, &before.child_ends);
    return before;
}

[[noreturn]] void become(const foreground_options& options, const signal_state& before,
                         int report) {
    before.put_back();
    for (const std::string& setting : options.environment)
        ::putenv(const_cast<char*>(setting.c_str())); // NOLINT: putenv keeps, never writes
    std::vector<char*> arguments;
    for (const std::string& argument : options.arguments)
        arguments.push_back(const_cast<char*>(argument.c_str())); // NOLINT: exec never writes
    arguments.push_back(nullptr);
    ::execv(options.program.c_str(), arguments.data());
    const int failure = errno;
    [[maybe_unused]] const ssize_t written = ::write(report, &failure, sizeof failure);
    ::_exit(127);
}

/// Returns: the errno with which the program could not be executed; 0 if it runs.
int started(int report) {
    int failure = 0;
    while (::read(report, &failure, sizeof failure) < 0 && errno == EINTR) {
    }
    return failure;
}

/// Whether the program has got it already, because the whole group was sent it. What a terminal
/// sends, with code SI_KERNEL, it sends to the group.
bool is_passed_on(const siginfo_t& signal, pid_t process, group_witness& witness) {
    if (signal.si_code > 0)
        return true;
    const bool in_group = witness.has_got(signal.si_signo);
    return in_group && ::getpgid(process) == ::getpgrp();
}

child_end wait_and_pass_on(pid_t process, const sigset_t& watched, group_witness& witness) {
    for (;;) {
        siginfo_t information{};
        const int signal = ::sigwaitinfo(&watched, &information);
        if (signal > 0 && signal != SIGCHLD && !is_passed_on(information, process, witness))
            ::kill(process, signal);
        int status = 0;
        if (::waitpid(process, &status, WNOHANG) != process)
            continue;
        child_end end;
        if (WIFSIGNALED(status)) {
            end.signal = WTERMSIG(status);
        } else {
            end.exit_code = WEXITSTATUS(status);
        }
        return end;
    }
}

} // namespace

std::optional<foreground_end> run_in_foreground(const foreground_options& options,
                                                std::string& reason) {
    std::array<int, 2> report{};
    if (::pipe2(report.data(), O_CLOEXEC) != 0) {
        reason = std::string("cannot open a pipe: ") + std::strerror(errno);
        return std::nullopt;
    }
    sigset_t watched = signals_to_pass_on();
    ::sigaddset(&watched, SIGCHLD);
    const signal_state before = watch(watched);
    const pid_t process = ::fork();
    if (process == 0)
        become(options, before, report[1]);
    // After the program: what the group is sent meanwhile may come twice, but is not lost.
    group_witness witness;
    const int fork_failure = process < 0 ? errno : 0;
    ::close(report[1]);
    const int failure = process < 0 ? fork_failure : started(report[0]);
    ::close(report[0]);
    std::optional<foreground_end> end;
    if (failure != 0) {
        reason = options.program + ": cannot " + (process < 0 ? "start" : "execute") + ": " +
                 std::strerror(failure);
        if (process > 0)
            ::waitpid(process, nullptr, 0);
    } else {
        end = {wait_and_pass_on(process, watched, witness), static_cast<unsigned long>(process)};
    }
    before.put_back();
    return end;
}

bool gains_privileges(const std::string& program) {
    struct stat there {};
    if (::geteuid() == 0 || ::stat(program.c_str(), &there) != 0)
        return false;
    const bool other_user = (there.st_mode & S_ISUID) != 0 && there.st_uid != ::geteuid();
    const bool other_group = (there.st_mode & S_ISGID) != 0 && there.st_gid != ::getegid();
    return other_user || other_group ||
           ::getxattr(program.c_str(), "security.capability", nullptr, 0) > 0;
}

int flush_file(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return errno;
    const int failure = ::fsync(descriptor) == 0 ? 0 : errno;
    ::close(descriptor);
    return failure;
}

} // namespace resident::os
