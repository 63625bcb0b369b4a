#include "os/harness/termination_signals.hpp"

#include <array>
#include <cstdlib>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace resident::os {
namespace {

sigset_t requests_to_stop() {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP})
        ::sigaddset(&set, signal);
    return set;
}

} // namespace

termination_signals::termination_signals() {
    const sigset_t set = requests_to_stop();
    ::sigprocmask(SIG_BLOCK, &set, &previous_);
    descriptor_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

termination_signals::~termination_signals() {
    ::close(descriptor_);
    ::sigprocmask(SIG_SETMASK, &previous_, nullptr);
}

int termination_signals::wait(std::chrono::milliseconds longest) {
    if (arrived_ != 0)
        return arrived_;
    std::array<pollfd, 1> watched{{{descriptor_, POLLIN, 0}}};
    ::poll(watched.data(), watched.size(), static_cast<int>(longest.count()));
    signalfd_siginfo information{};
    if (::read(descriptor_, &information, sizeof information) == sizeof information) {
        arrived_ = static_cast<int>(information.ssi_signo);
    }
    return arrived_;
}

void termination_signals::end_by(int signal) {
    ::signal(signal, SIG_DFL);
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, signal);
    ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
    ::raise(signal);
    ::_exit(128 + signal);
}

} // namespace resident::os
