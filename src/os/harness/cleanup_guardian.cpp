#include "os/harness/cleanup_guardian.hpp"

#include "os/harness/memory_cgroup.hpp"
#include "os/harness/swap_file.hpp"
#include "os/harness/system_setting.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace resident::os {
namespace {

constexpr char cgroup_kind = 'c';
constexpr char swap_file_kind = 's';
constexpr char setting_kind = 'v';

using undertaking = cleanup_guardian::undertaking;

bool undo(const undertaking& item) {
    switch (item.kind) {
    case cgroup_kind:
        return memory_cgroup::remove(item.subject);
    case swap_file_kind:
        return remove_swap_file(item.subject);
    default:
        const std::size_t end_of_path = item.subject.find('\n');
        return write_setting(item.subject.substr(0, end_of_path),
                             item.subject.substr(end_of_path + 1));
    }
}

/// The latest first, as in any undoing. Swap comes off after the cgroup's processes have ended:
/// then nothing has to be read back.
bool undo(const std::vector<undertaking>& announced) {
    bool all = true;
    for (const char kind : {cgroup_kind, swap_file_kind, setting_kind})
        for (auto item = announced.rbegin(); item != announced.rend(); ++item)
            if (item->kind == kind)
                all = undo(*item) && all;
    return all;
}

/// Keeps the guardian out of reach of what may end its charge, and holds nothing of it open: who
/// reads the output of that process must see its end.
void detach(int socket) {
    ::setsid();
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE})
        ::signal(signal, SIG_IGN);
    ::prctl(PR_SET_NAME, "resident-guard");
    const int nothing = ::open("/dev/null", O_RDWR);
    for (const int descriptor : {0, 1, 2})
        ::dup2(nothing, descriptor);
    ::dup2(socket, 3);
    ::syscall(SYS_close_range, 4U, ~0U, 0U);
    [[maybe_unused]] const int moved = ::chdir("/");
}

[[noreturn]] void guard(int socket) {
    detach(socket);
    std::vector<undertaking> announced;
    std::array<char, 4096> message{};
    for (;;) {
        const ssize_t length = ::recv(3, message.data(), message.size(), 0);
        if (length < 0 && errno == EINTR)
            continue;
        if (length <= 0)
            break; // the other end is closed
        announced.push_back({message[0], std::string(message.data() + 1, message.data() + length)});
    }
    ::_exit(undo(announced) ? 0 : 1);
}

} // namespace

std::unique_ptr<cleanup_guardian> cleanup_guardian::start(std::string& reason) {
    std::array<int, 2> sockets{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
        reason = std::string("cannot open a socket: ") + std::strerror(errno);
        return nullptr;
    }
    const pid_t process = ::fork();
    if (process == 0) {
        ::close(sockets[0]);
        guard(sockets[1]);
    }
    ::close(sockets[1]);
    if (process < 0) {
        reason = std::string("cannot start a process to clean up: ") + std::strerror(errno);
        ::close(sockets[0]);
        return nullptr;
    }
    return std::unique_ptr<cleanup_guardian>(new cleanup_guardian(process, sockets[0]));
}

bool cleanup_guardian::announce(char kind, const std::string& subject) {
    const std::string message = kind + subject;
    if (::send(socket_, message.data(), message.size(), MSG_NOSIGNAL) < 0)
        return false;
    announced_.push_back({kind, subject});
    return true;
}

bool cleanup_guardian::announce_cgroup(const std::string& directory) {
    return announce(cgroup_kind, directory);
}

bool cleanup_guardian::announce_swap_file(const std::string& path) {
    return announce(swap_file_kind, path);
}

bool cleanup_guardian::announce_setting(const std::string& path, const std::string& old_value) {
    return announce(setting_kind, path + '\n' + old_value);
}

bool cleanup_guardian::finish() {
    if (process_ == 0)
        return true;
    ::close(socket_);
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    process_ = 0;
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) || undo(announced_);
}

cleanup_guardian::~cleanup_guardian() { finish(); }

} // namespace resident::os
