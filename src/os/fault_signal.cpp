#include "os/fault_signal.hpp"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <mutex>

#include <linux/perf_event.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

namespace resident::os {
namespace {

constexpr int caused_by_event = 6; // TRAP_PERF (Linux 5.13), which no libc declares yet

// The action of SIGTRAP belongs to the process: the first listener takes it, the last one gives it
// back.
constinit std::mutex mutex;
constinit std::size_t listeners = 0;
struct sigaction former {};

/// siginfo_t::si_perf_data, which glibc has from 2.38 on: the word behind si_addr.
fault_listener* listener_of(const siginfo_t& info) noexcept {
    std::uintptr_t data = 0;
    const auto* const bytes = reinterpret_cast<const char*>(&info.si_addr) + sizeof(void*);
    std::memcpy(&data, bytes, sizeof data);
    return reinterpret_cast<fault_listener*>(data);
}

const void* instruction_of(const void* context) noexcept {
    [[maybe_unused]] const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
    return reinterpret_cast<const void*>(machine.gregs[REG_RIP]);
#elif defined(__aarch64__)
    return reinterpret_cast<const void*>(machine.pc);
#elif defined(__riscv)
    return reinterpret_cast<const void*>(machine.__gregs[0]);
#else
    return nullptr;
#endif
}

/// A breakpoint, or a trap of someone else's event: as if there were no listener.
void forward(int signal, siginfo_t* info, void* context) noexcept {
    if ((former.sa_flags & SA_SIGINFO) != 0) {
        former.sa_sigaction(signal, info, context);
    } else if (former.sa_handler == SIG_DFL) {
        ::sigaction(SIGTRAP, &former, nullptr);
        ::raise(SIGTRAP);
    } else if (former.sa_handler != SIG_IGN) {
        former.sa_handler(signal);
    }
}

void enable(const fault_listener& listener, bool enabled) noexcept {
    (void)system().control_file(listener.descriptor,
                                enabled ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, nullptr);
}

void on_trap(int signal, siginfo_t* info, void* context) {
    if (info->si_code != caused_by_event)
        return forward(signal, info, context);
    const int error_number = errno;
    fault_listener& listener = *listener_of(*info);
    enable(listener, false);
    listener.on_fault(listener, info->si_addr, instruction_of(context));
    enable(listener, true);
    errno = error_number;
}

void take_signal() noexcept {
    const std::lock_guard guard(mutex);
    if (listeners++ != 0)
        return;
    struct sigaction ours {};
    ours.sa_sigaction = on_trap;
    ours.sa_flags = SA_SIGINFO | SA_RESTART;
    ::sigemptyset(&ours.sa_mask);
    ::sigaction(SIGTRAP, &ours, &former);
}

void give_signal_back() noexcept {
    const std::lock_guard guard(mutex);
    if (--listeners != 0)
        return;
    struct sigaction current {};
    ::sigaction(SIGTRAP, nullptr, &current);
    // Who has taken it over meanwhile keeps it.
    if ((current.sa_flags & SA_SIGINFO) != 0 && current.sa_sigaction == on_trap)
        ::sigaction(SIGTRAP, &former, nullptr);
}

outcome open_event(fault_listener& listener, bool sees_kernel) noexcept {
    perf_event_attr attributes{};
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.size = sizeof attributes;
    attributes.config = PERF_COUNT_SW_PAGE_FAULTS;
    attributes.sample_period = 1;
    attributes.sample_type = PERF_SAMPLE_ADDR;
    attributes.disabled = 1;
    attributes.exclude_kernel = sees_kernel ? 0 : 1;
    attributes.exclude_hv = 1;
    attributes.sigtrap = 1;
    attributes.remove_on_exec = 1; // the kernel asks for it: the next program has no handler
    attributes.sig_data = reinterpret_cast<std::uintptr_t>(&listener);
    return system().open_fault_event(attributes);
}

void set_blocked(bool blocked, bool& before) noexcept {
    sigset_t trap;
    sigset_t mask;
    ::sigemptyset(&trap);
    ::sigaddset(&trap, SIGTRAP);
    ::pthread_sigmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &trap, &mask);
    before = ::sigismember(&mask, SIGTRAP) == 1;
}

} // namespace

outcome prepare_listening(fault_listener& listener) noexcept {
    outcome opened = open_event(listener, true);
    listener.sees_kernel = static_cast<bool>(opened);
    if (opened.error_number() == EACCES || opened.error_number() == EPERM)
        opened = open_event(listener, false);
    if (!opened)
        return opened;
    listener.descriptor = static_cast<int>(opened.value());
    listener.process = ::getpid();
    take_signal();
    // Blocked, the signal would come too late to tell where.
    set_blocked(false, listener.was_blocked);
    return outcome::success();
}

void start_listening(fault_listener& listener) noexcept { enable(listener, true); }

void stop_listening(fault_listener& listener) noexcept {
    // A forked child shares the event with its parent, and must not end it there.
    const bool ours = listener.process == ::getpid();
    if (ours)
        enable(listener, false);
    (void)system().close_file(listener.descriptor);
    if (ours && listener.was_blocked)
        set_blocked(true, listener.was_blocked);
    give_signal_back();
    listener.descriptor = -1;
}

pid_t this_thread_id() noexcept { return static_cast<pid_t>(::syscall(SYS_gettid)); }

void write_diagnostic(const char* text, std::size_t length) noexcept {
    while (length != 0) {
        const ssize_t written = ::write(STDERR_FILENO, text, length);
        if (written <= 0)
            return;
        text += written;
        length -= static_cast<std::size_t>(written);
    }
}

} // namespace resident::os
