#include "os/harness/realtime_thread.hpp"

#include <cstring>

#include <pthread.h>
#include <sched.h>

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

} // namespace

std::string run_on_thread(std::size_t stack, void (*entry)(void*), void* argument) {
    start to_run{entry, argument};
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    pthread_t thread{};
    int error_number = ::pthread_attr_setstacksize(&attributes, stack);
    if (error_number == 0)
        error_number = ::pthread_create(&thread, &attributes, run, &to_run);
    ::pthread_attr_destroy(&attributes);
    if (error_number != 0) {
        return std::string("cannot start a thread: ") + std::strerror(error_number);
    }
    ::pthread_join(thread, nullptr);
    return {};
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
