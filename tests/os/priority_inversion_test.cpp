// Concerns: who waits for a priority_inheritance_mutex lends its priority to the holder, so that a
// thread of middle priority cannot keep both waiting.
// Plan: the kernel's own word for the holder's priority while a real-time thread waits (field 18 of
// /proc/thread-self/stat); three real-time threads on one processor, where the order of what they
// do follows from their priorities alone.
#include "os/harness/realtime_thread.hpp"
#include "os/priority_inheritance_mutex.hpp"
#include "support/build.hpp"
#include "support/inversion.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <functional>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>

namespace {

using namespace resident;
using os::priority_inheritance_mutex;

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

TEST(priority_inversion, lends_the_waiter_s_priority_to_the_holder) {
    priority_inheritance_mutex mutex;
    std::atomic<bool> permitted{true};
    const int before = scheduled_priority();
    mutex.lock();
    std::thread waiter([&] {
        permitted = os::become_realtime(10) == 0;
        const std::lock_guard guard(mutex);
    });
    // Ends when the waiter has come; a minute is for a machine under load.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (permitted && scheduled_priority() == before &&
           std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const int lent = scheduled_priority();
    mutex.unlock();
    waiter.join();
    if (!permitted)
        GTEST_SKIP() << "real-time priority is not permitted here";
    EXPECT_EQ(lent, -11);
    EXPECT_EQ(scheduled_priority(), before);
}

TEST(priority_inversion, a_thread_of_middle_priority_does_not_come_between) {
    if (test::thread_sanitized)
        GTEST_SKIP() << "ThreadSanitizer's runtime waits for others when a thread starts";
    priority_inheritance_mutex mutex;
    bool was_contended = false;
    test::inversion scene(
        os::allowed_processors().front(),
        [&](const std::function<void()>& start_others) {
            const std::lock_guard guard(mutex);
            start_others();
            was_contended = mutex.is_contended();
        },
        [&] { const std::lock_guard guard(mutex); });
    if (!scene.run())
        GTEST_SKIP() << "real-time priority is not permitted here";
    ASSERT_EQ(scene.failed, 0);
    EXPECT_TRUE(was_contended);
    EXPECT_TRUE(scene.high_waited);
    EXPECT_FALSE(scene.middle_ran_while_held);
    EXPECT_TRUE(scene.high_was_done_when_middle_ran);
}

} // namespace
