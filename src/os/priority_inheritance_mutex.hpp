/// A mutex whose holder inherits the priority of whoever waits for it.
#pragma once

#include <pthread.h>

namespace resident::os {

/// Meets the BasicLockable requirements, so std::lock_guard works. Uncontended: no system call.
class priority_inheritance_mutex {
public:
    priority_inheritance_mutex() noexcept;
    ~priority_inheritance_mutex();
    priority_inheritance_mutex(const priority_inheritance_mutex&) = delete;
    priority_inheritance_mutex& operator=(const priority_inheritance_mutex&) = delete;

    void lock() noexcept;
    void unlock() noexcept;

private:
    pthread_mutex_t mutex_;
};

} // namespace resident::os
