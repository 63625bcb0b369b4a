// A program that is recorded whose signal handlers allocate, fork or jump amid a call of the
// allocator. It prints what program.cpp does; in a forked child, too.

#include "tool/recorded/counted_calls.hpp"
#include "tool/recorded/interrupting_allocator.hpp"

#include <array>
#include <string>

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace recorded;

sigjmp_buf begin_again;
volatile sig_atomic_t handled = 0;
volatile bool is_child = false;

void allocate_in_handler(int) {
    pairs(10);
    handled = handled + 1;
}
void jump(int) { ::siglongjmp(begin_again, 1); }
void fork_in_handler(int) {
    handled = handled + 1;
    if (!is_child && handled <= 40 && ::fork() == 0)
        is_child = true;
}

using handler = void (*)(int);

handler handler_for(const std::string& what) {
    if (what == "jump")
        return jump;
    if (what == "fork")
        return fork_in_handler;
    return allocate_in_handler;
}

void on(int signal, handler what) {
    struct sigaction action {};
    action.sa_handler = what;
    action.sa_flags = SA_RESTART | SA_ONSTACK; // where there is one
    ::sigaction(signal, &action, nullptr);
}

void set_timer(suseconds_t microseconds) {
    const itimerval every{{0, microseconds}, {0, microseconds}};
    ::setitimer(ITIMER_REAL, &every, nullptr);
}

/// The signal comes amid a call of malloc, calloc, realloc, or realloc of none. What a jump leaves
/// is not told.
void within(const std::string& call) {
    void* const block = noted(std::malloc(7500));
    if (sigsetjmp(begin_again, 1) == 0) {
        calls_until_interrupt = 0;
        if (call == "realloc") {
            void* const moved = std::realloc(block, 7600);
            ++reallocations;
            return give_back(moved);
        }
        void* const another = call == "calloc" ? std::calloc(7, 1001)
                              : call == "none" ? std::realloc(nullptr, 7600)
                                               : std::malloc(7700);
        if (!is_child) // the call was the parent's
            ++allocations;
        give_back(another);
    }
    if (!is_child)
        give_back(block);
}

/// In a thread whose handler has its stack above the thread's own, in main's.
void within_a_thread(std::string call) {
    std::array<char, 65536> stack{};
    struct {
        std::string& call;
        stack_t stack;
    } given{call, {.ss_sp = stack.data(), .ss_flags = 0, .ss_size = stack.size()}};
    pthread_t thread{};
    ::pthread_create(
        &thread, nullptr,
        [](void* from) -> void* {
            const auto& mine = *static_cast<decltype(given)*>(from);
            ::sigaltstack(&mine.stack, nullptr);
            within(mine.call);
            return nullptr;
        },
        &given);
    ::pthread_join(thread, nullptr);
}

/// At any place: as long as signals come.
void by_timer(handler what, suseconds_t microseconds) {
    on(SIGALRM, what);
    set_timer(microseconds);
    while (handled < 40 && !is_child)
        pairs(1000);
    set_timer(0);
}

/// Jumps from wherever the signal hits; what is cut off cannot be told.
void many_jumps() {
    pairs(1);
    on(SIGALRM, jump);
    for (volatile int jumps = 0; jumps < 200;) {
        jumps = jumps + 1;
        if (sigsetjmp(begin_again, 1) == 0) {
            const itimerval once{{0, 0}, {0, 1000 + jumps * 7}};
            ::setitimer(ITIMER_REAL, &once, nullptr);
            for (;;)
                std::free(std::malloc(6000));
        }
    }
}

} // namespace

/// <a call, or: timer, jumps> <what the handler does: allocate, jump, fork,
/// elsewhere (allocate on another stack)> <pairs afterwards>
int main(int count, char** arguments) {
    if (count < 4)
        return 1;
    const std::string where = arguments[1];
    const std::string what = arguments[2];
    pairs(1);
    on(SIGUSR1, handler_for(what));
    if (where == "jumps")
        many_jumps();
    else if (where == "timer")
        by_timer(handler_for(what), 1000);
    else if (what == "elsewhere")
        within_a_thread(where);
    else
        within(where);
    pairs(std::strtoul(arguments[3], nullptr, 10));
    if (is_child) {
        allocations = frees = reallocations = 0;
        pairs(25);
        ::_exit(0);
    }
    while (::wait(nullptr) > 0) {
    }
    tell();
}
