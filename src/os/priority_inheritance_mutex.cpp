#include "os/priority_inheritance_mutex.hpp"

namespace resident::os {

priority_inheritance_mutex::priority_inheritance_mutex() noexcept : mutex_{} {
    pthread_mutexattr_t attributes;
    ::pthread_mutexattr_init(&attributes);
    // Refused where the kernel has no priority-inheriting futex: then it is a plain mutex.
    ::pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    if (::pthread_mutex_init(&mutex_, &attributes) != 0)
        ::pthread_mutex_init(&mutex_, nullptr);
    ::pthread_mutexattr_destroy(&attributes);
}

priority_inheritance_mutex::~priority_inheritance_mutex() { ::pthread_mutex_destroy(&mutex_); }

void priority_inheritance_mutex::lock() noexcept { ::pthread_mutex_lock(&mutex_); }

void priority_inheritance_mutex::unlock() noexcept { ::pthread_mutex_unlock(&mutex_); }

} // namespace resident::os
