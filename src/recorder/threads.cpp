// pthread_create, so that a thread begins in the trace when it begins, and also if it never
// allocates. A thread that comes about in another way begins with its first call.

#include "recorder/next_allocator.hpp"
#include "recorder/recording.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>

namespace resident::recorder {
namespace {

/// What a new thread is to do, on its way there. malloc would show in the recording.
struct start {
    std::atomic<bool> taken{false};
    void* (*routine)(void*) = nullptr;
    void* argument = nullptr;
};
constinit std::array<start, 256> starts{};

start* take_start() noexcept {
    for (start& each : starts)
        if (!each.taken.load(std::memory_order_relaxed) && !each.taken.exchange(true))
            return &each;
    return nullptr; // so many are on their way: the thread begins with its first call
}

void* run(void* given) {
    auto& mine = *static_cast<start*>(given);
    void* (*const routine)(void*) = mine.routine;
    void* const argument = mine.argument;
    mine.taken.store(false, std::memory_order_release);
    { const recorded_call begins_here(nullptr); }
    return routine(argument);
}

} // namespace
} // namespace resident::recorder

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the C library's secret
extern "C" __attribute__((visibility("default"))) int
pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*routine)(void*),
               void* argument) noexcept {
    using namespace resident::recorder;
    if (next().pthread_create == nullptr)
        return EAGAIN;
    start* const given = take_start();
    if (given == nullptr)
        return next().pthread_create(thread, attributes, routine, argument);
    given->routine = routine;
    given->argument = argument;
    const int failure = next().pthread_create(thread, attributes, run, given);
    if (failure != 0)
        given->taken.store(false, std::memory_order_release);
    return failure;
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
