// What the tests of `resident record` record: a program that counts its own calls. Those that count
// are of 7001 to 7999 bytes, which nothing else in such a process asks for. It prints
//     <allocations> <frees> <reallocations>
// and then ends in the way that is asked for.

#include "tool/recorded/counted_calls.hpp"

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace recorded;

/// More than there can be; the compiler need not know.
volatile std::size_t too_much = ~std::size_t{0} / 2;

/// Each function that allocates, `count` times.
void every_function(std::size_t count) {
    for (std::size_t at = 0; at < count; ++at) {
        give_back(noted(std::malloc(7001)));
        give_back(noted(std::calloc(7, 1001)));
        give_back(noted(std::realloc(nullptr, 7002)));
        give_back(noted(::reallocarray(nullptr, 7, 1002)));
        give_back(noted(std::aligned_alloc(64, 7040)));
        give_back(noted(::memalign(256, 7003)));
        give_back(noted(::valloc(7004)));
        void* aligned = nullptr;
        if (::posix_memalign(&aligned, 4096, 7005) == 0)
            give_back(noted(aligned));
        ::operator delete(noted(::operator new(7006)));
        ::operator delete[](noted(::operator new[](7007)));
        ::operator delete(noted(::operator new(7008, std::nothrow)));
        constexpr std::align_val_t wide{128};
        ::operator delete(noted(::operator new(7009, wide)), wide);
        frees += 4;
        void* block = noted(std::malloc(7010));
        void* larger = std::realloc(block, 7900);
        void* smaller = ::reallocarray(larger, 1, 7011);
        reallocations += 2;
        ++frees;
        seen = std::realloc(smaller, 0); // frees
        // Fail, and are no events.
        seen = std::malloc(too_much / 2);
        seen = std::calloc(too_much, 4);
        seen = ::reallocarray(nullptr, too_much, 4);
        block = noted(std::malloc(7012));
        seen = std::realloc(block, too_much / 2);
        give_back(block);
    }
}

/// Threads that pass blocks on and move them, so that an address is soon another thread's.
void passing(std::size_t threads, std::size_t count) {
    std::array<std::atomic<void*>, 16> places{};
    const auto run = [&](std::size_t self) {
        for (std::size_t at = 0; at < count; ++at) {
            void* block = places[(at * 7 + self) % places.size()].exchange(nullptr);
            if (block == nullptr) {
                block = noted(std::malloc(size_of(at)));
            } else if (at % 3 != 0) {
                block = std::realloc(block, size_of(at * 31));
                ++reallocations;
            }
            block = places[(at * 5 + self * 3) % places.size()].exchange(block);
            if (block != nullptr)
                give_back(block);
        }
    };
    std::vector<std::thread> running;
    for (std::size_t self = 0; self < threads; ++self)
        running.emplace_back(run, self);
    for (std::thread& each : running)
        each.join();
    for (auto& place : places)
        if (void* block = place.exchange(nullptr))
            give_back(block);
}

void many_threads(std::size_t threads, std::size_t count) {
    std::vector<std::thread> running;
    for (std::size_t self = 0; self < threads; ++self)
        running.emplace_back([count] { pairs(count); });
    for (std::thread& each : running)
        each.join();
}

pthread_key_t late_key;
/// Comes again in each round of destruction, and so also behind the recorder's hook.
void free_late(void* rounds) {
    const auto left = reinterpret_cast<std::size_t>(rounds);
    pairs(1);
    if (left > 1)
        ::pthread_setspecific(late_key, reinterpret_cast<void*>(left - 1));
}
void late_frees(std::size_t threads) {
    ::pthread_key_create(&late_key, free_late);
    for (std::size_t self = 0; self < threads; ++self)
        std::thread([] { ::pthread_setspecific(late_key, reinterpret_cast<void*>(4)); }).join();
}

/// The child frees what the parent made, and makes its own.
void forking(std::size_t count) {
    std::vector<void*> blocks;
    for (std::size_t at = 0; at < count; ++at)
        blocks.push_back(noted(std::malloc(size_of(at))));
    const pid_t child = ::fork();
    if (child == 0) {
        allocations = frees = 0;
        for (void* block : blocks)
            give_back(block);
        pairs(2 * count);
        tell();
        ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
    for (void* block : blocks)
        give_back(block);
}

/// A child that may not write beside its parent's trace. `other`: a file in the place of standard
/// error, as daemons may have one.
void dropping(const char* other) {
    if (other != nullptr) {
        ::close(STDERR_FILENO);
        ::open(other, O_RDWR);
    }
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(::setgid(65534) == 0 && ::setuid(65534) == 0 ? (pairs(5), 0) : 1);
    ::waitpid(child, nullptr, 0);
}

/// Children that can open no file.
void forking_without_descriptors(int children) {
    const rlimit none{3, 3};
    ::setrlimit(RLIMIT_NOFILE, &none);
    for (int each = 0; each != children; ++each) {
        const pid_t child = ::fork();
        if (child == 0)
            ::_exit((pairs(5), 0));
        ::waitpid(child, nullptr, 0);
    }
}

void spawning(char** arguments) {
    std::string count = "20";
    std::array<char*, 4> words{arguments[0], const_cast<char*>("pairs"), count.data(), nullptr};
    pid_t child = 0;
    if (::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, words.data(), environ) == 0)
        ::waitpid(child, nullptr, 0);
}

/// As daemons do: all descriptors that the program does not know, and its own in their places.
void close_all(const char* other) {
    for (int descriptor = 3; descriptor < 1024; ++descriptor)
        ::close(descriptor);
    while (::open(other, O_RDWR) < 1000 && ::dup(0) < 1000) {
    }
}

[[noreturn]] void handled_fault() {
    static std::array<char, 16384> stack;
    const stack_t other{.ss_sp = stack.data(), .ss_flags = 0, .ss_size = stack.size()};
    ::sigaltstack(&other, nullptr);
    struct sigaction action {};
    action.sa_handler = [](int) { ::_exit(42); };
    action.sa_flags = SA_ONSTACK;
    ::sigaction(SIGSEGV, &action, nullptr);
    ::raise(SIGSEGV);
    ::_exit(1);
}

/// Frees what the recorder saw given, and nothing of it: as a library that is opened with
/// RTLD_DEEPBIND. Or frees what only such a library gave.
void bypass(const std::string& how, std::size_t count) {
    void* const library = ::dlopen("libc.so.6", RTLD_LAZY);
    const auto unseen_malloc = reinterpret_cast<void* (*)(std::size_t)>(::dlsym(library, "malloc"));
    const auto unseen_free = reinterpret_cast<void (*)(void*)>(::dlsym(library, "free"));
    for (std::size_t at = 0; at < count; ++at) {
        if (how == "free")
            unseen_free(noted(std::malloc(7001)));
        else
            give_back(unseen_malloc(7001));
    }
}

void make(const std::string& file) { ::close(::open(file.c_str(), O_CREAT | O_WRONLY, 0644)); }
void wait_for(const std::string& file) {
    while (::access(file.c_str(), F_OK) != 0)
        ::usleep(1000);
}

/// Records, and goes on when the command may have ended, once `file`.go is there. "alone": this
/// process does. "hidden": a forked child does, and nobody may look at its memory. "quiet": a
/// forked child has the memory of its parent, which has ended, and records nothing.
void outlive(const std::string& how, const std::string& file) {
    const std::string begun = file + ".begun";
    const std::string go = file + ".go";
    const std::string done = file + ".done";
    if (how == "quiet")
        pairs(20'000);
    if (how != "alone" && ::fork() != 0) {
        wait_for(begun);
        ::_exit(0);
    }
    if (how == "hidden")
        ::prctl(PR_SET_DUMPABLE, 0);
    if (how != "quiet")
        pairs(20'000);
    make(begun);
    wait_for(go);
    if (how != "quiet")
        pairs(20'000);
    make(done);
    ::_exit(0);
}

volatile sig_atomic_t signals_got = 0;

/// Has SIGUSR1 sent to the group, by itself or from elsewhere, and then SIGTERM to the command
/// alone, which is the last to come; counts the first.
void signalled(bool from_elsewhere) {
    sigset_t last;
    ::sigemptyset(&last);
    ::sigaddset(&last, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &last, nullptr);
    ::signal(SIGUSR1, [](int) { signals_got = signals_got + 1; });
    const pid_t group = ::getpgrp();
    const pid_t command = ::getppid();
    if (::fork() == 0) {
        if (from_elsewhere)
            ::setsid();
        else
            ::signal(SIGUSR1, SIG_IGN);
        ::kill(-group, SIGUSR1);
        ::kill(command, SIGTERM);
        ::_exit(0);
    }
    int signal = 0;
    ::sigwait(&last, &signal);
    std::printf("%d\n", static_cast<int>(signals_got));
    std::fflush(stdout);
    ::_exit(0);
}

void end_by(const std::string& how) {
    if (how == "abort")
        std::abort();
    if (how == "fault")
        *static_cast<volatile int*>(nullptr) = 1;
    if (how == "kill")
        ::raise(SIGKILL);
    if (how == "_exit")
        ::_exit(3);
    if (how == "quick_exit")
        std::quick_exit(4);
    if (how == "handler")
        handled_fault();
    if (how == "wait") {
        for (;;)
            ::pause();
    }
}

} // namespace

int main(int count, char** arguments) {
    const std::string what = count > 1 ? arguments[1] : "";
    const auto number = [&](int at) {
        return count > at ? std::strtoul(arguments[at], nullptr, 10) : 0;
    };
    if (what == "pairs")
        pairs(number(2));
    if (what == "functions")
        every_function(number(2));
    if (what == "threads")
        many_threads(number(2), number(3));
    if (what == "passing")
        passing(number(2), number(3));
    if (what == "late")
        late_frees(number(2));
    if (what == "idle") { // a thread that never allocates
        pthread_t thread{};
        ::pthread_create(
            &thread, nullptr, [](void*) -> void* { return nullptr; }, nullptr);
        ::pthread_join(thread, nullptr);
    }
    if (what == "fork")
        forking(number(2));
    if (what == "drop")
        dropping(count > 2 ? arguments[2] : nullptr);
    if (what == "narrow")
        forking_without_descriptors(number(2));
    if (what == "spawn")
        spawning(arguments);
    if (what == "close") {
        close_all(arguments[3]);
        pairs(number(2));
    }
    if (what == "exec") {
        pairs(number(2));
        tell();
        if (count > 3)
            ::execv("/proc/self/exe", arguments + 2);
        ::execl("/proc/self/exe", arguments[0], "pairs", "30", nullptr);
    }
    if (what == "bypass")
        bypass(arguments[2], number(3));
    if (what == "outlive")
        outlive(arguments[2], arguments[3]);
    if (what == "signals")
        signalled(count > 2);
    if (what == "end") { // with a block that is still there
        pairs(number(3));
        noted(std::malloc(7777));
    }
    tell();
    if (what == "end")
        end_by(arguments[2]);
    return what == "code" ? static_cast<int>(number(2)) : 0;
}
