// Concerns: each call really reaches the kernel (sanitizers turn libc's mlock into a no-op); errors
// come back as errno; a started thread is of normal priority, deaf to signals and joinable; another
// kernel can be put in force and taken away.
// Plan: real calls, and what /proc/self says afterwards.
#include "os/kernel.hpp"
#include "support/process_state.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace {

using namespace resident;
using os::system;

/// Private anonymous pages, unmapped when it goes.
class pages {
public:
    explicit pages(std::size_t count) : bytes_(count * os::page_size()) {
        const os::outcome mapped =
            system().map(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
        EXPECT_TRUE(mapped);
        address_ = reinterpret_cast<char*>(mapped.value());
    }
    ~pages() { EXPECT_TRUE(system().unmap(address_, bytes_)); }
    pages(const pages&) = delete;
    pages& operator=(const pages&) = delete;
    char* data() const { return address_; }
    std::size_t size() const { return bytes_; }

private:
    std::size_t bytes_;
    char* address_ = nullptr;
};

TEST(kernel, locks_for_real_even_under_sanitizers) {
    const pages range(4);
    const std::size_t before = test::vm_locked_bytes();
    ASSERT_TRUE(system().lock(range.data(), range.size()));
    EXPECT_EQ(test::vm_locked_bytes(), before + range.size());
    ASSERT_TRUE(system().unlock(range.data(), range.size()));
    EXPECT_EQ(test::vm_locked_bytes(), before);
    ASSERT_TRUE(system().lock_on_fault(range.data(), range.size()));
    EXPECT_EQ(test::vm_locked_bytes(), before + range.size());
    ASSERT_TRUE(system().unlock(range.data(), range.size()));
}

TEST(kernel, unlock_all_unlocks_all) {
    const pages range(4);
    ASSERT_TRUE(system().lock(range.data(), range.size()));
    ASSERT_TRUE(system().unlock_all());
    EXPECT_EQ(test::vm_locked_bytes(), 0U);
}

TEST(kernel, tells_the_errno_of_what_fails) {
    EXPECT_EQ(system().map(nullptr, 0, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS).error_number(),
              EINVAL);
    EXPECT_EQ(system().lock_all(0).error_number(), EINVAL);
    EXPECT_EQ(system().advise(nullptr, os::page_size(), MADV_DONTFORK).error_number(), ENOMEM);
    EXPECT_EQ(system().protect(nullptr, os::page_size(), PROT_READ).error_number(), ENOMEM);
    EXPECT_EQ(system().open_file("/proc/self/no such file").error_number(), ENOENT);
    EXPECT_EQ(system().close_file(-1).error_number(), EBADF);
    EXPECT_EQ(system().control_process(-1, 0).error_number(), EINVAL);
    EXPECT_EQ(system().control_file(-1, 0, nullptr).error_number(), EBADF);
    rlimit limit{};
    EXPECT_EQ(system().get_limit(-1, limit).error_number(), EINVAL);
    EXPECT_EQ(system().set_limit(-1, limit).error_number(), EINVAL);
}

TEST(kernel, reads_files_from_the_start_and_at_an_offset) {
    const os::outcome opened = system().open_file("/proc/self/status");
    ASSERT_TRUE(opened);
    const int descriptor = static_cast<int>(opened.value());
    std::array<char, 5> start{};
    std::array<char, 4> inside{};
    EXPECT_EQ(system().read_file(descriptor, start).value(), start.size());
    EXPECT_EQ(system().read_file_at(descriptor, inside, 1).value(), inside.size());
    EXPECT_EQ(std::string(start.data(), start.size()), "Name:");
    EXPECT_EQ(std::string(inside.data(), inside.size()), "ame:");
    EXPECT_TRUE(system().close_file(descriptor));
    EXPECT_EQ(system().read_file(descriptor, start).error_number(), EBADF);
    EXPECT_EQ(system().read_file_at(descriptor, start, 0).error_number(), EBADF);
}

TEST(kernel, counts_a_fault_per_touched_page) {
    const pages range(16);
    static_cast<void>(system().advise(range.data(), range.size(), MADV_NOHUGEPAGE));
    os::fault_counts before;
    os::fault_counts after;
    ASSERT_TRUE(system().count_faults(os::fault_scope::thread, before));
    for (std::size_t at = 0; at < range.size(); at += os::page_size()) {
        static_cast<volatile char*>(range.data())[at] = 1;
    }
    ASSERT_TRUE(system().count_faults(os::fault_scope::thread, after));
    EXPECT_GE(after.minor - before.minor, 16U);
    ASSERT_TRUE(system().count_faults(os::fault_scope::process, after));
    EXPECT_GE(after.minor, 16U);
}

TEST(kernel, knows_the_node_and_prefers_it) {
    const os::outcome node = system().current_node();
    ASSERT_TRUE(node);
    const pages range(2);
    const os::outcome bound =
        system().prefer_node(range.data(), range.size(), static_cast<unsigned>(node.value()));
    EXPECT_TRUE(bound || bound.error_number() == ENOSYS || bound.error_number() == EPERM);
    EXPECT_EQ(system().prefer_node(range.data(), range.size(), 100000).error_number(), EINVAL);
    EXPECT_EQ(system().set_memory_policy(1, 100000).error_number(), EINVAL);
    constexpr int policy_default = 0;
    const os::outcome reset = system().set_memory_policy(policy_default, 0);
    EXPECT_TRUE(reset || reset.error_number() == ENOSYS || reset.error_number() == EPERM);
}

struct thread_report {
    int policy = -1;
    int blocked = 0;
    std::array<char, 16> name{};
};

void report(void* argument) {
    auto& told = *static_cast<thread_report*>(argument);
    told.policy = sched_getscheduler(0);
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGALRM, SIGCHLD}) {
        told.blocked += sigismember(&mask, signal);
    }
    prctl(PR_GET_NAME, told.name.data(), 0, 0, 0);
}

TEST(kernel, starts_a_named_thread_deaf_to_signals) {
    thread_report told;
    const os::outcome started = system().start_thread(report, &told, "a name of many letters");
    ASSERT_TRUE(started);
    ASSERT_TRUE(system().join_thread(started.value()));
    EXPECT_EQ(told.policy, SCHED_OTHER);
    EXPECT_EQ(told.blocked, 5);
    EXPECT_STREQ(told.name.data(), "a name of many ");
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    EXPECT_FALSE(sigismember(&mask, SIGUSR1)) << "the creator hears signals as before";
}

TEST(kernel, a_real_time_thread_does_not_pass_its_priority_on) {
    sched_param normal{};
    sched_param real_time{};
    real_time.sched_priority = 1;
    if (sched_setscheduler(0, SCHED_FIFO, &real_time) != 0) {
        GTEST_SKIP() << "real-time priority is not permitted here";
    }
    thread_report told;
    const os::outcome started = system().start_thread(report, &told, "normal");
    sched_setscheduler(0, SCHED_OTHER, &normal);
    ASSERT_TRUE(started);
    ASSERT_TRUE(system().join_thread(started.value()));
    EXPECT_EQ(told.policy, SCHED_OTHER);
}

TEST(kernel, can_be_replaced_for_a_while) {
    os::kernel& real = system();
    class : public os::kernel {
    } other;
    {
        const os::kernel_replacement replacement(other);
        EXPECT_EQ(&system(), &other);
    }
    EXPECT_EQ(&system(), &real);
}

} // namespace
