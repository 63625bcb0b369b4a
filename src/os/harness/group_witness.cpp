#include "os/harness/group_witness.hpp"

#include <array>
#include <cerrno>
#include <ctime>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace resident::os {
namespace {

struct message {
    unsigned number; ///< of the question
    int signal;      ///< the answer: 0 if it is not there
};

/// With all signals blocked, so that they wait to be asked for.
[[noreturn]] void keep_signals(int socket) {
    ::prctl(PR_SET_NAME, "group-witness");
    // Nothing is held open: who reads the output of the program must see its end.
    ::dup2(socket, 0);
    ::syscall(SYS_close_range, 1U, ~0U, 0U);
    message asked{};
    for (;;) {
        const ssize_t length = ::recv(0, &asked, sizeof asked, 0);
        if (length < 0 && errno == EINTR)
            continue;
        if (length != sizeof asked)
            ::_exit(0); // the other end is closed
        sigset_t wanted;
        ::sigemptyset(&wanted);
        ::sigaddset(&wanted, asked.signal);
        const timespec at_once{};
        const bool there = ::sigtimedwait(&wanted, nullptr, &at_once) == asked.signal;
        const message answer{asked.number, there ? asked.signal : 0};
        ::send(0, &answer, sizeof answer, MSG_NOSIGNAL);
    }
}

} // namespace

group_witness::group_witness() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
        return;
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &before);
    process_ = ::fork();
    if (process_ == 0)
        keep_signals(ends[1]);
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    ::close(ends[1]);
    socket_ = ends[0];
}

group_witness::~group_witness() {
    if (socket_ >= 0)
        ::close(socket_);
    if (process_ > 0) {
        ::kill(process_, SIGKILL); // it may have been stopped
        while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
}

bool group_witness::has_got(int signal) {
    if (process_ <= 0)
        return false;
    // The kernel sends to all of a group under a lock that this call, which changes nothing, takes
    // alone: behind it the witness has what this process has.
    ::setpgid(0, ::getpgrp());
    const message asked{++questions_, signal};
    if (::send(socket_, &asked, sizeof asked, MSG_NOSIGNAL) != sizeof asked)
        return false;
    constexpr int patience = 1000; // milliseconds: it is there, unless somebody has stopped it
    std::array<pollfd, 1> watched{{{socket_, POLLIN, 0}}};
    while (::poll(watched.data(), watched.size(), patience) > 0) {
        message answer{};
        if (::recv(socket_, &answer, sizeof answer, MSG_DONTWAIT) != sizeof answer)
            return false;
        if (answer.number == asked.number)
            return answer.signal == signal;
    }
    return false;
}

} // namespace resident::os
