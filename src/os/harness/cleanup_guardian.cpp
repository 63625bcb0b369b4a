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
/// What the guardian says at its end.
constexpr char all_undone = '1';
constexpr char something_left = '0';

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
void detach(int socket, pid_t charge) {
    ::setsid();
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE})
        ::signal(signal, SIG_IGN);
    ::prctl(PR_SET_NAME, ("guard-" + std::to_string(charge)).c_str());
    const int nothing = ::open("/dev/null", O_RDWR);
    for (const int descriptor : {0, 1, 2})
        ::dup2(nothing, descriptor);
    ::dup2(socket, 3);
    ::syscall(SYS_close_range, 4U, ~0U, 0U);
    [[maybe_unused]] const int moved = ::chdir("/");
}

[[noreturn]] void guard(int socket, pid_t charge) {
    detach(socket, charge);
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
    const char answer = undo(announced) ? all_undone : something_left;
    ::send(3, &answer, sizeof answer, MSG_NOSIGNAL); // nobody may be there any more
    ::_exit(0);
}

/// Who ends a process with all of its descendants, as test drivers do, finds them by their parents:
/// the guardian's own parent ends at once, and the system's first process adopts it.
/// Returns: 0 or errno.
int start_adopted(int socket, int socket_of_charge) {
    const pid_t charge = ::getpid();
    const pid_t parent = ::fork();
    if (parent < 0)
        return errno;
    if (parent == 0) {
        ::close(socket_of_charge);
        const pid_t guardian = ::fork();
        if (guardian == 0)
            guard(socket, charge);
        ::_exit(guardian < 0 ? errno : 0);
    }
    int status = 0;
    while (::waitpid(parent, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

} // namespace

std::unique_ptr<cleanup_guardian> cleanup_guardian::start(std::string& reason) {
    std::array<int, 2> sockets{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
        reason = std::string("cannot open a socket: ") + std::strerror(errno);
        return nullptr;
    }
    const int failure = start_adopted(sockets[1], sockets[0]);
    ::close(sockets[1]);
    if (failure != 0) {
        reason = std::string("cannot start a process to clean up: ") + std::strerror(failure);
        ::close(sockets[0]);
        return nullptr;
    }
    return std::unique_ptr<cleanup_guardian>(new cleanup_guardian(sockets[0]));
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
    if (socket_ < 0)
        return true;
    ::shutdown(socket_, SHUT_WR);
    char answer = something_left; // unless it says otherwise: somebody may have ended it
    while (::recv(socket_, &answer, sizeof answer, 0) < 0 && errno == EINTR) {
    }
    ::close(socket_);
    socket_ = -1;
    return answer == all_undone || undo(announced_);
}

cleanup_guardian::~cleanup_guardian() { finish(); }

} // namespace resident::os
