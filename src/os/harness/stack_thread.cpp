#include "os/harness/stack_thread.hpp"

#include <cstdlib>

namespace resident::os {

void* stack_thread::enter(void* what) {
    const call& to_run = *static_cast<call*>(what);
    to_run.entry(to_run.argument);
    return nullptr;
}

int stack_thread::start(std::span<std::byte> stack, void (*entry)(void*), void* argument) noexcept {
    call_ = {entry, argument};
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    int error_number = ::pthread_attr_setstack(&attributes, stack.data(), stack.size());
    if (error_number == 0)
        error_number = ::pthread_create(&thread_, &attributes, enter, &call_);
    ::pthread_attr_destroy(&attributes);
    running_ = error_number == 0;
    return error_number;
}

void stack_thread::join() noexcept {
    ::pthread_join(thread_, nullptr);
    running_ = false;
}

stack_thread::~stack_thread() {
    if (running_)
        std::abort(); // it would run on in memory of others
}

} // namespace resident::os
