#include "os/thread_stack.hpp"

#include <bit>

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace resident::os {

outcome find_stack_bounds(stack_bounds& bounds) noexcept {
    pthread_attr_t attributes;
    int error_number = ::pthread_getattr_np(::pthread_self(), &attributes);
    if (error_number != 0)
        return outcome::failure(error_number);
    void* lowest = nullptr;
    std::size_t size = 0;
    error_number = ::pthread_attr_getstack(&attributes, &lowest, &size);
    ::pthread_attr_destroy(&attributes);
    if (error_number != 0)
        return outcome::failure(error_number);
    bounds.begin = reinterpret_cast<std::uintptr_t>(lowest);
    bounds.end = bounds.begin + size;
    static_assert(sizeof(pthread_t) == sizeof(std::uintptr_t));
    bounds.control_block = std::bit_cast<std::uintptr_t>(::pthread_self());
    bounds.main_thread = ::syscall(SYS_gettid) == ::getpid();
    return outcome::success();
}

} // namespace resident::os
