#include "os/harness/realtime_thread.hpp"

#include "os/kernel.hpp"
#include "resident/page_lock.hpp"

#include <cerrno>
#include <cstring>

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

namespace resident::os {
namespace {

struct start {
    void (*entry)(void*);
    void* argument;
};

void* run(void* what) {
    const start& to_run = *static_cast<start*>(what);
    to_run.entry(to_run.argument);
    return nullptr;
}

/// Runs on `stack`, waits for the end. Returns: errno of the step that failed, or 0.
int run_thread_on(void* stack, std::size_t bytes, start to_run) {
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    pthread_t thread{};
    int error_number = ::pthread_attr_setstack(&attributes, stack, bytes);
    if (error_number == 0)
        error_number = ::pthread_create(&thread, &attributes, run, &to_run);
    ::pthread_attr_destroy(&attributes);
    if (error_number == 0)
        ::pthread_join(thread, nullptr);
    return error_number;
}

} // namespace

std::string run_on_locked_stack(std::size_t stack, void (*entry)(void*), void* argument,
                                bool& stack_locked) {
    const std::size_t guard = page_size();
    void* mapped = ::mmap(nullptr, guard + stack, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (mapped == MAP_FAILED)
        return std::string("cannot map a stack: ") + std::strerror(errno);
    ::mprotect(mapped, guard, PROT_NONE);
    char* const usable = static_cast<char*>(mapped) + guard;
    std::string failure;
    {
        const result<page_lock> lock = page_lock::create(usable, stack);
        stack_locked = lock.has_value();
        const int error_number = run_thread_on(usable, stack, {entry, argument});
        if (error_number != 0) {
            failure = std::string("cannot start a thread: ") + std::strerror(error_number);
        }
    }
    ::munmap(mapped, guard + stack);
    return failure;
}

int become_realtime(int priority) noexcept {
    const sched_param parameters{.sched_priority = priority};
    return ::pthread_setschedparam(::pthread_self(), SCHED_FIFO, &parameters);
}

int pin_to_processor(int processor) noexcept {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(static_cast<unsigned>(processor), &only);
    return ::pthread_setaffinity_np(::pthread_self(), sizeof only, &only);
}

void avoid_processor(int processor) noexcept {
    cpu_set_t allowed;
    if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    CPU_CLR(static_cast<unsigned>(processor), &allowed);
    if (CPU_COUNT(&allowed) > 0)
        ::sched_setaffinity(0, sizeof allowed, &allowed);
}

std::vector<int> allowed_processors() {
    cpu_set_t allowed;
    std::vector<int> processors;
    if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return processors;
    for (unsigned processor = 0; processor < CPU_SETSIZE; ++processor) {
        if (CPU_ISSET(processor, &allowed))
            processors.push_back(static_cast<int>(processor));
    }
    return processors;
}

int lowest_priority() noexcept { return ::sched_get_priority_min(SCHED_FIFO); }
int highest_priority() noexcept { return ::sched_get_priority_max(SCHED_FIFO); }

} // namespace resident::os
