// Concerns: it excludes; a waiter of high priority lifts the holder, so that a thread of middle
// priority cannot keep both waiting.
// Plan: a counter under contention; the kernel's own word for the holder's priority while a
// real-time thread waits (field 18 of /proc/thread-self/stat).
#include "os/priority_inheritance_mutex.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <pthread.h>
#include <sched.h>

namespace {

using resident::os::priority_inheritance_mutex;

TEST(priority_inheritance_mutex, excludes) {
    priority_inheritance_mutex mutex;
    int counter = 0;
    std::vector<std::thread> threads;
    for (int each = 0; each < 4; ++each) {
        threads.emplace_back([&] {
            for (int round = 0; round < 2000; ++round) {
                const std::lock_guard guard(mutex);
                ++counter;
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(counter, 8000);
}

/// As the scheduler has it: 20 for a normal thread, -2 for SCHED_FIFO 1, -3 for 2, and so on.
int scheduled_priority() {
    std::ifstream stat("/proc/thread-self/stat");
    std::string text;
    std::getline(stat, text);
    std::istringstream fields(text.substr(text.rfind(')') + 2));
    std::string field;
    for (int index = 3; index <= 18; ++index)
        fields >> field;
    return std::stoi(field);
}

TEST(priority_inheritance_mutex, lends_the_waiter_s_priority_to_the_holder) {
    priority_inheritance_mutex mutex;
    std::atomic<bool> permitted{true};
    const int before = scheduled_priority();
    mutex.lock();
    std::thread waiter([&] {
        sched_param real_time{};
        real_time.sched_priority = 10;
        if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &real_time) != 0)
            permitted = false;
        const std::lock_guard guard(mutex);
    });
    // Ends when the waiter has come; a minute is for a machine under load.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (permitted && scheduled_priority() == before &&
           std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const int lent = scheduled_priority();
    mutex.unlock();
    waiter.join();
    if (!permitted)
        GTEST_SKIP() << "real-time priority is not permitted here";
    EXPECT_EQ(lent, -11);
    EXPECT_EQ(scheduled_priority(), before);
}

} // namespace
