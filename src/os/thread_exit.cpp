#include "os/thread_exit.hpp"

#include <pthread.h>

namespace resident::os {

namespace {

pthread_key_t key;
void (*at_exit)() noexcept = nullptr;
void (*after_fork)() noexcept = nullptr;

constinit thread_local bool has_run = false;

void run_exit_hook(void*) {
    has_run = true;
    at_exit();
}
void run_fork_hook() { after_fork(); }

} // namespace

bool watch_threads(void (*hook)() noexcept, void (*in_child)() noexcept) noexcept {
    at_exit = hook;
    after_fork = in_child;
    return pthread_key_create(&key, run_exit_hook) == 0 &&
           pthread_atfork(nullptr, nullptr, run_fork_hook) == 0;
}

bool announce_exit() noexcept {
    // A thread that is ending has its hooks run a few times at most: the next might not be.
    return !has_run && pthread_setspecific(key, &key) == 0; // any pointer that is not null
}

} // namespace resident::os
