// Concerns: who waits for a priority_inheritance_mutex lends its priority to the holder, so that a
// thread of middle priority cannot keep both waiting.
// Plan: the kernel's own word for the holder's priority while a real-time thread waits (field 18 of
// /proc/thread-self/stat); three real-time threads on one processor, where the order of what they
// do follows from their priorities alone.
#include "os/harness/realtime_thread.hpp"
#include "os/priority_inheritance_mutex.hpp"
#include "support/build.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>

#include <pthread.h>
#include <sched.h>

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

/// Three threads on one processor. `low` holds what `high` waits for; `middle` needs nothing.
///
///     low     lock -+             +-- ... -- unlock -+
///     high          +-- lock: waits                  +-- has it, done
///     middle             started here, must not run  |                 +-- runs
///
/// Without inheritance `middle` runs as soon as it is started, ahead of `low` and so of `high`.
class inversion {
public:
    static void* run(void* self) {
        static_cast<inversion*>(self)->be_low();
        return nullptr;
    }
    static int start(pthread_t& thread, int priority, int processor, void* (*entry)(void*),
                     void* argument) {
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        const sched_param parameters{.sched_priority = priority};
        pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
        pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
        pthread_attr_setschedparam(&attributes, &parameters);
        cpu_set_t only;
        CPU_ZERO(&only);
        CPU_SET(static_cast<unsigned>(processor), &only);
        pthread_attr_setaffinity_np(&attributes, sizeof only, &only);
        const int answer = pthread_create(&thread, &attributes, entry, argument);
        pthread_attr_destroy(&attributes);
        return answer;
    }

    int processor = 0;
    int failed = 0;
    bool was_contended = false;
    bool middle_ran_while_held = true;
    bool high_was_done_when_middle_ran = false;

private:
    static void* be_high(void* opaque) {
        auto* self = static_cast<inversion*>(opaque);
        self->mutex_.lock();
        self->high_is_done_ = true;
        self->mutex_.unlock();
        return nullptr;
    }
    static void* be_middle(void* opaque) {
        auto* self = static_cast<inversion*>(opaque);
        self->high_was_done_when_middle_ran = self->high_is_done_;
        self->middle_ran_ = true;
        return nullptr;
    }
    void be_low() {
        mutex_.lock();
        pthread_t high{};
        pthread_t middle{};
        failed = start(high, 30, processor, be_high, this);
        if (failed != 0)
            return mutex_.unlock();
        was_contended = mutex_.is_contended(); // `high` has gone as far as it can
        failed = start(middle, 20, processor, be_middle, this);
        middle_ran_while_held = middle_ran_;
        mutex_.unlock();
        pthread_join(high, nullptr);
        if (failed == 0)
            pthread_join(middle, nullptr);
    }

    priority_inheritance_mutex mutex_;
    std::atomic<bool> high_is_done_{false};
    std::atomic<bool> middle_ran_{false};
};

TEST(priority_inversion, a_thread_of_middle_priority_does_not_come_between) {
    if (test::thread_sanitized)
        GTEST_SKIP() << "ThreadSanitizer's runtime waits for others when a thread starts";
    inversion scene;
    scene.processor = os::allowed_processors().front();
    pthread_t low{};
    if (inversion::start(low, 10, scene.processor, inversion::run, &scene) != 0)
        GTEST_SKIP() << "real-time priority is not permitted here";
    pthread_join(low, nullptr);
    ASSERT_EQ(scene.failed, 0);
    EXPECT_TRUE(scene.was_contended);
    EXPECT_FALSE(scene.middle_ran_while_held);
    EXPECT_TRUE(scene.high_was_done_when_middle_ran);
}

} // namespace
