#include "os/harness/child_process.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace resident::os {
namespace {

/// Tells the parent, through a pipe that exec closes, which step of starting failed.
struct start_failure {
    int error_number = 0;
    std::array<char, 32> step{};
};

[[noreturn]] void fail(int report, const char* step) {
    start_failure failure;
    failure.error_number = errno;
    std::strncpy(failure.step.data(), step, failure.step.size() - 1);
    [[maybe_unused]] const ssize_t written = ::write(report, &failure, sizeof failure);
    ::_exit(127);
}

void enter_cgroup(const std::string& directory, int report) {
    const std::string members = directory + "/cgroup.procs";
    const int descriptor = ::open(members.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0 || ::write(descriptor, "0", 1) != 1)
        fail(report, "enter its cgroup");
    ::close(descriptor);
}

void reset_signals() {
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// Puts `wanted` in places 3, 4, ... First out of each other's way: a source may be another's
/// place.
int place_descriptors(const std::vector<int>& wanted, int report) {
    const int first_free = 3 + static_cast<int>(wanted.size());
    std::vector<int> aside;
    aside.reserve(wanted.size());
    for (const int descriptor : wanted) {
        aside.push_back(::fcntl(descriptor, F_DUPFD, first_free));
    }
    const int moved_report = ::fcntl(report, F_DUPFD_CLOEXEC, first_free);
    int place = 3;
    for (const int descriptor : aside) {
        if (::dup2(descriptor, place++) < 0)
            fail(moved_report, "hand over a descriptor");
        ::close(descriptor);
    }
    return moved_report;
}

[[noreturn]] void become(const child_options& options, pid_t parent, int output, int report) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent)
        ::_exit(127); // it ended before the kernel was told
    reset_signals();
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (::dup2(nothing, 0) < 0 || ::dup2(output, 1) < 0 || ::dup2(output, 2) < 0) {
        fail(report, "redirect its output");
    }
    const int moved_report = place_descriptors(options.descriptors, report);
    if (!options.cgroup.empty())
        enter_cgroup(options.cgroup, moved_report);
    for (const std::string& setting : options.environment) {
        ::putenv(const_cast<char*>(setting.c_str())); // NOLINT: putenv keeps, never writes
    }
    std::vector<char*> arguments;
    for (const std::string& argument : options.arguments) {
        arguments.push_back(const_cast<char*>(argument.c_str())); // NOLINT: exec never writes
    }
    arguments.push_back(nullptr);
    ::execvp(options.program.c_str(), arguments.data());
    fail(moved_report, "execute");
}

} // namespace

std::optional<child_process> child_process::start(const child_options& options,
                                                  std::string& reason) {
    const int output = ::memfd_create("output", MFD_CLOEXEC);
    std::array<int, 2> report{};
    if (output < 0 || ::pipe2(report.data(), O_CLOEXEC) != 0) {
        reason = std::string("cannot open a pipe: ") + std::strerror(errno);
        if (output >= 0)
            ::close(output);
        return std::nullopt;
    }
    const pid_t parent = ::getpid();
    const pid_t process = ::fork();
    if (process == 0)
        become(options, parent, output, report[1]);
    ::close(report[1]);
    start_failure failure;
    if (process < 0) {
        failure.error_number = errno;
        std::strncpy(failure.step.data(), "fork", failure.step.size() - 1);
    } else {
        ::setpgid(process, process); // whichever of the two comes first
        while (::read(report[0], &failure, sizeof failure) < 0 && errno == EINTR) {
        }
    }
    ::close(report[0]);
    if (failure.error_number != 0) {
        reason = options.program + ": cannot " + failure.step.data() + ": " +
                 std::strerror(failure.error_number);
        if (process > 0)
            ::waitpid(process, nullptr, 0);
        ::close(output);
        return std::nullopt;
    }
    return child_process(process, output);
}

void child_process::keep_end(int status) {
    child_end end;
    if (WIFSIGNALED(status)) {
        end.signal = WTERMSIG(status);
    } else {
        end.exit_code = WEXITSTATUS(status);
    }
    end_ = end;
}

const std::optional<child_end>& child_process::poll() {
    int status = 0;
    if (!end_ && ::waitpid(process_, &status, WNOHANG) == process_)
        keep_end(status);
    return end_;
}

child_end child_process::wait() {
    int status = 0;
    while (!end_) {
        if (::waitpid(process_, &status, 0) == process_) {
            keep_end(status);
        } else if (errno != EINTR) {
            keep_end(0);
        }
    }
    return *end_;
}

void child_process::kill() {
    if (poll())
        return;
    ::kill(process_, SIGKILL);
    wait();
}

std::string child_process::output() const {
    std::string text;
    std::array<char, 4096> buffer{};
    off_t offset = 0;
    for (;;) {
        const ssize_t count = ::pread(output_, buffer.data(), buffer.size(), offset);
        if (count <= 0)
            return text;
        text.append(buffer.data(), static_cast<std::size_t>(count));
        offset += count;
    }
}

child_process::~child_process() {
    if (process_ > 0)
        kill();
    if (output_ >= 0)
        ::close(output_);
}

} // namespace resident::os
