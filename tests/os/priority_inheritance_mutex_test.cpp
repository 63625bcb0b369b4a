// Concerns: it excludes, and hands on what was written under it; it works from zeroed memory and in
// a forked child, whose thread has another number; each answer of the kernel is dealt with. That it
// inherits priority: priority_inversion_test.cpp.
// Plan: a counter under contention, checked by ThreadSanitizer too; a kernel that refuses, or that
// has no priority inheritance; misuse in children, with the exact message.
#include "os/kernel.hpp"
#include "os/priority_inheritance_mutex.hpp"
#include "support/child.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <linux/futex.h>
#include <pthread.h>

namespace {

using namespace resident;
using os::priority_inheritance_mutex;
using testing::HasSubstr;

static_assert(std::is_trivially_destructible_v<priority_inheritance_mutex>);

std::uint32_t own_id() { return static_cast<std::uint32_t>(os::system().thread_id().value()); }

/// Ends when `condition` holds; a minute is for a machine under load.
template <class Condition>
bool becomes_true(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= deadline)
            return false;
        std::this_thread::yield();
    }
    return true;
}

/// Counts in many threads, under one mutex that is held across a yield now and then so that others
/// do wait. Returns: the count.
int count_together(priority_inheritance_mutex& mutex, int threads, int rounds) {
    int counter = 0;
    std::vector<std::thread> counting;
    for (int each = 0; each < threads; ++each) {
        counting.emplace_back([&, rounds] {
            for (int round = 0; round < rounds; ++round) {
                const std::lock_guard guard(mutex);
                ++counter;
                if (round % 16 == 0)
                    std::this_thread::yield();
            }
        });
    }
    for (std::thread& thread : counting)
        thread.join();
    return counter;
}

TEST(priority_inheritance_mutex, excludes) {
    priority_inheritance_mutex mutex;
    EXPECT_EQ(count_together(mutex, 8, 2000), 16'000);
    EXPECT_EQ(mutex.holder(), 0u);
    EXPECT_FALSE(mutex.is_contended());
}

TEST(priority_inheritance_mutex, is_free_when_zeroed_and_held_by_the_number_of_the_thread) {
    alignas(priority_inheritance_mutex)
        std::array<unsigned char, sizeof(priority_inheritance_mutex)>
            memory{};
    auto& mutex = *reinterpret_cast<priority_inheritance_mutex*>(memory.data());
    mutex.lock();
    EXPECT_EQ(mutex.holder(), own_id());
    EXPECT_FALSE(mutex.try_lock());
    mutex.unlock();
    EXPECT_EQ(memory, decltype(memory){});
    EXPECT_TRUE(mutex.try_lock());
    EXPECT_TRUE(mutex.try_unlock());
}

/// The real kernel, with the calls counted, and refused where told.
class kernel_that_counts_calls : public os::kernel {
public:
    os::outcome thread_id() noexcept override {
        ++thread_ids;
        return kernel::thread_id();
    }
    os::outcome futex(std::uint32_t* word, int operation, std::uint32_t value) noexcept override {
        const int command = operation & ~FUTEX_PRIVATE_FLAG;
        EXPECT_NE(operation & FUTEX_PRIVATE_FLAG, 0);
        const bool refused =
            (command == FUTEX_LOCK_PI || command == FUTEX_WAIT) && refuse_locks > 0;
        if (refused) {
            --refuse_locks;
            return os::outcome::failure(refusal);
        }
        if (command == FUTEX_UNLOCK_PI && refuse_unlocks > 0) {
            --refuse_unlocks;
            return os::outcome::failure(refusal);
        }
        if (without_inheritance && (command == FUTEX_LOCK_PI || command == FUTEX_UNLOCK_PI))
            return os::outcome::failure(ENOSYS);
        waits += command == FUTEX_WAIT ? 1 : 0;
        wakes += command == FUTEX_WAKE ? 1 : 0;
        locks += command == FUTEX_LOCK_PI ? 1 : 0;
        unlocks += command == FUTEX_UNLOCK_PI ? 1 : 0;
        return kernel::futex(word, operation, value);
    }

    bool without_inheritance = false;
    int refusal = 0;
    std::atomic<int> refuse_locks{0};
    std::atomic<int> refuse_unlocks{0};
    std::atomic<int> waits{0};
    std::atomic<int> wakes{0};
    std::atomic<int> locks{0};
    std::atomic<int> unlocks{0};
    std::atomic<int> thread_ids{0};
};

TEST(priority_inheritance_mutex, asks_for_the_thread_s_number_once_and_then_nothing) {
    kernel_that_counts_calls kernel;
    const os::kernel_replacement replaced(kernel);
    std::thread([&] {
        priority_inheritance_mutex mutex;
        EXPECT_FALSE(mutex.try_lock()); // not known yet
        for (int i = 0; i < 1000; ++i) {
            const std::lock_guard guard(mutex);
        }
        EXPECT_EQ(kernel.thread_ids, 1);
        EXPECT_EQ(kernel.locks + kernel.unlocks + kernel.waits + kernel.wakes, 0);
    }).join();
    std::thread([&] {
        priority_inheritance_mutex mutex;
        os::identify_this_thread();
        EXPECT_EQ(kernel.thread_ids, 2);
        EXPECT_TRUE(mutex.try_lock());
        mutex.unlock();
        os::identify_this_thread();
        EXPECT_EQ(kernel.thread_ids, 2);
    }).join();
}

TEST(priority_inheritance_mutex, a_waiter_enters_the_kernel_and_so_does_who_hands_over_to_it) {
    kernel_that_counts_calls kernel;
    const os::kernel_replacement replaced(kernel);
    priority_inheritance_mutex mutex;
    mutex.lock();
    std::thread waiter([&] {
        const std::lock_guard guard(mutex);
        EXPECT_EQ(mutex.holder(), own_id());
    });
    EXPECT_TRUE(becomes_true([&] { return mutex.is_contended(); }));
    EXPECT_FALSE(mutex.try_unlock());
    mutex.unlock();
    waiter.join();
    EXPECT_EQ(kernel.locks, 1);
    EXPECT_EQ(kernel.unlocks, 2); // the kernel gave it to the waiter marked as waited for
    EXPECT_EQ(mutex.holder(), 0u);
}

class refusals : public testing::TestWithParam<int> {};

TEST_P(refusals, are_met_by_asking_again) {
    kernel_that_counts_calls kernel;
    const os::kernel_replacement replaced(kernel);
    priority_inheritance_mutex mutex;
    kernel.refusal = GetParam();
    kernel.refuse_locks = 3;
    mutex.lock();
    std::thread waiter([&] { const std::lock_guard guard(mutex); });
    EXPECT_TRUE(becomes_true([&] { return mutex.is_contended(); }));
    kernel.refuse_unlocks = 3;
    mutex.unlock();
    waiter.join();
    EXPECT_EQ(kernel.refuse_locks, 0);
    EXPECT_EQ(kernel.refuse_unlocks, 0);
    EXPECT_EQ(kernel.locks, 1);
    EXPECT_EQ(kernel.unlocks, 2);
    EXPECT_EQ(count_together(mutex, 4, 200), 800);
}
INSTANTIATE_TEST_SUITE_P(priority_inheritance_mutex, refusals,
                         testing::Values(EINTR, EAGAIN, ENOMEM),
                         [](const auto& each) { return std::string(strerrorname_np(each.param)); });

TEST(priority_inheritance_mutex, excludes_where_the_kernel_knows_no_inheritance) {
    kernel_that_counts_calls kernel;
    kernel.without_inheritance = true;
    kernel.refusal = EINTR;
    const os::kernel_replacement replaced(kernel);
    priority_inheritance_mutex mutex;
    mutex.lock();
    std::vector<std::thread> waiters;
    for (int i = 0; i < 3; ++i)
        waiters.emplace_back([&] { const std::lock_guard guard(mutex); });
    EXPECT_TRUE(becomes_true([&] { return kernel.waits >= 3; }));
    kernel.refuse_locks = 2; // signals
    mutex.unlock();
    for (std::thread& waiter : waiters)
        waiter.join();
    EXPECT_GE(kernel.wakes, 3); // each of them may have had another behind it
    EXPECT_EQ(mutex.holder(), 0u);
    EXPECT_EQ(count_together(mutex, 8, 2000), 16'000);
    EXPECT_EQ(mutex.holder(), 0u);
    EXPECT_FALSE(mutex.is_contended());
    EXPECT_EQ(kernel.locks + kernel.unlocks, 0);
}

TEST(priority_inheritance_mutex, works_in_a_forked_child_under_the_child_s_own_number) {
    priority_inheritance_mutex mutex;
    mutex.lock(); // so that the parent's number is known
    mutex.unlock();
    const std::uint32_t parent = own_id();
    const auto child = test::run_in_child({}, [&] {
        mutex.lock();
        EXPECT_EQ(mutex.holder(), own_id());
        EXPECT_NE(mutex.holder(), parent);
        mutex.unlock();
        EXPECT_EQ(count_together(mutex, 4, 500), 2000);
    });
    EXPECT_TRUE(child.passed()) << child.output;
    mutex.lock();
    EXPECT_EQ(mutex.holder(), parent);
    mutex.unlock();
}

struct fatal_case {
    const char* message;
    void (*commit)(priority_inheritance_mutex& mutex);
};
class fatal_misuse : public testing::TestWithParam<fatal_case> {};

TEST_P(fatal_misuse, aborts_with_a_message_that_tells_why) {
    const auto child = test::run_in_child({}, [] {
        priority_inheritance_mutex mutex;
        GetParam().commit(mutex);
    });
    EXPECT_FALSE(child.exited);
    EXPECT_EQ(child.signal, SIGABRT);
    EXPECT_THAT(child.output, HasSubstr(GetParam().message));
}

void refuse_for_good(priority_inheritance_mutex& mutex, int error_number) {
    kernel_that_counts_calls kernel;
    const os::kernel_replacement replaced(kernel);
    kernel.refusal = error_number;
    mutex.lock();
    std::thread waiter([&] {
        kernel.refuse_locks = 1;
        mutex.lock();
    });
    waiter.join();
}

INSTANTIATE_TEST_SUITE_P(
    priority_inheritance_mutex, fatal_misuse,
    testing::Values(
        fatal_case{"cannot lock a mutex: the calling thread holds it already",
                   [](priority_inheritance_mutex& mutex) {
                       mutex.lock();
                       mutex.lock();
                   }},
        fatal_case{"cannot lock a mutex: the calling thread holds it already",
                   [](priority_inheritance_mutex& mutex) {
                       kernel_that_counts_calls kernel;
                       kernel.without_inheritance = true;
                       const os::kernel_replacement replaced(kernel);
                       mutex.lock();
                       mutex.lock();
                   }},
        fatal_case{"cannot lock a mutex: the thread that held it has ended",
                   [](priority_inheritance_mutex& mutex) {
                       std::thread([&] { mutex.lock(); }).join();
                       mutex.lock();
                   }},
        fatal_case{
            "cannot unlock a mutex: it was overwritten, or is unlocked by a thread that does "
            "not hold it",
            [](priority_inheritance_mutex& mutex) {
                std::thread([&] {
                    mutex.lock();
                    std::thread([&] { mutex.unlock(); }).join();
                }).join();
            }},
        fatal_case{"cannot lock a mutex: Permission denied",
                   [](priority_inheritance_mutex& mutex) { refuse_for_good(mutex, EACCES); }}));

} // namespace
