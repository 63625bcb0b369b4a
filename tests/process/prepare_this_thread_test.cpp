// Concerns
//   A prepared stack is there: locked, populated, unshared by other threads' forks; all of that
//   ends with the thread; and what cannot be had is an error that changes nothing.
// Plan
//   1. Deep calls of a prepared thread make no fault, in a new thread and in the main thread; an
//      unprepared one beside it, as the control, faults.
//   2. fork by another thread: no fault on the stack afterwards; control without the exclusion.
//   3. A stack that the C library gives to the next thread is inherited again: its fork works.
//   4. Refusals and failing calls. 5. Preparing again, and preparing nothing.
#include "process/step_named.hpp"
#include "resident/prepare.hpp"
#include "support/build.hpp"
#include "support/child.hpp"
#include "support/failing_kernel.hpp"
#include "support/process_state.hpp"
#include "support/touching.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <thread>

#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace resident {
namespace {

using test::failing_kernel;
using test::page;
using test::run_in_child;
using test::stack_faults;
using test::step_named;
using test::vm_locked_bytes;
using call = failing_kernel::call;

constexpr std::size_t depth = 200_KiB;
constexpr std::size_t pages_of_depth = depth / 4_KiB;

void run_in_thread(const std::function<void()>& body) { std::thread(body).join(); }

/// A thread whose stack nothing has touched before: the C library keeps the stacks of ended threads
/// for new ones, but none of this odd size.
void run_in_new_stack(const std::function<void()>& body) {
    static std::size_t size = 1_MiB;
    size += 64_KiB;
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setstacksize(&attributes, size);
    pthread_t thread{};
    ASSERT_EQ(::pthread_create(
                  &thread, &attributes,
                  [](void* argument) -> void* {
                      (*static_cast<const std::function<void()>*>(argument))();
                      return nullptr;
                  },
                  const_cast<std::function<void()>*>(&body)),
              0);
    ::pthread_join(thread, nullptr);
    ::pthread_attr_destroy(&attributes);
}

// ---------------------------------------------------------------- 1. Deep calls

TEST(PrepareThisThread, DeepCallsMakeNoFault) {
    run_in_new_stack([] {
        const auto done = prepare_this_thread();
        ASSERT_TRUE(done) << done.error().what();
        EXPECT_TRUE(done->complete());
        EXPECT_TRUE(test::as_expected(stack_faults<depth>(), 0));
    });
}

TEST(PrepareThisThread, WithoutItDeepCallsFault) {
    run_in_new_stack(
        [] { EXPECT_GE(stack_faults<depth>(), pages_of_depth - 1 - test::runtime_faults(4)); });
}

TEST(PrepareThisThread, DeepCallsOfTheMainThreadMakeNoFault) {
    const auto child = run_in_child({}, [] {
        const auto done = prepare_this_thread({.stack = 1_MiB});
        ASSERT_TRUE(done) << done.error().what();
        EXPECT_EQ(step_named(*done, "exclude stack from fork").outcome,
                  preparation_outcome::not_asked);
        EXPECT_EQ(step_named(*done, "lock thread-local variables").outcome,
                  preparation_outcome::done);
        EXPECT_TRUE(test::as_expected(stack_faults<1000_KiB>(), 0));
    });
    EXPECT_TRUE(child.passed()) << child.output;
}

TEST(PrepareThisThread, WithoutItDeepCallsOfTheMainThreadFault) {
    const auto child =
        run_in_child({}, [] { EXPECT_GE(stack_faults<1000_KiB>(), 1000_KiB / 4_KiB / 2); });
    EXPECT_TRUE(child.passed()) << child.output;
}

TEST(PrepareThisThread, WorksOnAStackOfTheProgramsOwn) {
    const test::fresh_pages stack(512);
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    ASSERT_EQ(::pthread_attr_setstack(&attributes, stack[0], stack.bytes()), 0);
    pthread_t thread{};
    const auto body = [](void*) -> void* {
        const auto done = prepare_this_thread();
        EXPECT_TRUE(done) << done.error().what();
        EXPECT_TRUE(test::as_expected(stack_faults<depth>(), 0));
        return nullptr;
    };
    ASSERT_EQ(::pthread_create(&thread, &attributes, body, nullptr), 0);
    ::pthread_join(thread, nullptr);
    ::pthread_attr_destroy(&attributes);
    EXPECT_EQ(stack.locks(), std::string(stack.count(), '-'));
}

TEST(PrepareThisThread, LocksEndWithTheThread) {
    const auto before = test::process_state::now();
    run_in_thread([&] {
        const auto done = prepare_this_thread();
        ASSERT_TRUE(done);
        const auto step = step_named(*done, "lock stack");
        EXPECT_GE(step.bytes, 256_KiB);
        EXPECT_EQ(vm_locked_bytes(), before.locked_bytes + step.bytes);
    });
    EXPECT_EQ(vm_locked_bytes(), before.locked_bytes);
    EXPECT_EQ(test::process_state::now().locked_mappings, before.locked_mappings);
}

TEST(PrepareThisThread, PrefersTheLocalNode) {
    run_in_thread([] {
        ASSERT_TRUE(prepare_this_thread({.stack = 0}));
        int mode = -1;
        unsigned long nodes[16] = {};
        constexpr int preferred = 1; // MPOL_PREFERRED
        if (::syscall(SYS_get_mempolicy, &mode, nodes, 1024UL, nullptr, 0UL) == 0) {
            EXPECT_EQ(mode, preferred);
        }
    });
}

// ---------------------------------------------------------------- 2. fork by another thread

/// Faults on the stack of a thread after another one has forked.
std::uint64_t stack_faults_after_fork(const thread_options& options) {
    std::atomic<bool> prepared{false};
    std::atomic<bool> forked{false};
    std::uint64_t faults = 0;
    std::thread thread([&] {
        const auto done = prepare_this_thread(options);
        EXPECT_TRUE(done) << done.error().what();
        prepared = true;
        while (!forked)
            std::this_thread::yield();
        test::settle();
        faults = stack_faults<depth>();
    });
    while (!prepared)
        std::this_thread::yield();
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(42);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 42) << "the child died of it";
    forked = true;
    thread.join();
    return faults;
}

TEST(PrepareThisThread, ForkOfAnotherThreadCostsAnExcludedStackNothing) {
    // The page with the thread's record stays in the fork; under sanitizers the frames reach it.
    EXPECT_TRUE(test::as_expected(stack_faults_after_fork({}), 0));
}

TEST(PrepareThisThread, ForkOfAnotherThreadCostsAnInheritedStackAFaultAPage) {
    EXPECT_GE(stack_faults_after_fork({.exclude_stack_from_fork = false}),
              pages_of_depth - 1 - test::runtime_faults(4));
}

// ---------------------------------------------------------------- 3. The next thread's stack

TEST(PrepareThisThread, TheNextThreadOnTheSameStackMayFork) {
    const auto child = run_in_child({}, [] {
        std::uintptr_t first_frame = 0;
        run_in_thread([&] {
            first_frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
            ASSERT_TRUE(prepare_this_thread());
        });
        run_in_thread([&] {
            const auto frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
            if (!test::thread_sanitized) { // its runtime has stacks of its own making
                ASSERT_LT(frame > first_frame ? frame - first_frame : first_frame - frame, 64_KiB)
                    << "the stack was not used again: the test shows nothing";
            }
            const pid_t grandchild = ::fork();
            if (grandchild == 0)
                ::_exit(static_cast<int>(stack_faults<depth>() & 1U) + 10);
            int status = 0;
            EXPECT_EQ(::waitpid(grandchild, &status, 0), grandchild);
            EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
        });
    });
    EXPECT_TRUE(child.passed()) << child.output;
}

// ---------------------------------------------------------------- 4. Refusals

TEST(PrepareThisThread, RefusesMoreThanTheStackHas) {
    const std::size_t locked = vm_locked_bytes();
    run_in_new_stack([] {
        const auto refused = prepare_this_thread({.stack = 64_MiB});
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().cause(), cause::invalid_argument);
        EXPECT_STREQ(refused.error().details().subject.data(), "the stack of this thread");
    });
    EXPECT_EQ(vm_locked_bytes(), locked);
}

TEST(PrepareThisThread, RefusesBeyondTheLimit) {
    const auto child =
        run_in_child({.keep_ipc_lock = false, .memlock_soft = 64_KiB, .memlock_hard = 64_KiB}, [] {
            run_in_thread([] {
                const auto refused = prepare_this_thread();
                ASSERT_FALSE(refused);
                EXPECT_EQ(refused.error().cause(), cause::memlock_limit);
            });
            const auto refused = prepare_this_thread(); // the main thread's stack must grow for it
            ASSERT_FALSE(refused);
            EXPECT_EQ(refused.error().cause(), cause::memlock_limit);
            EXPECT_STREQ(refused.error().details().subject.data(), "the stack of this thread");
            EXPECT_EQ(vm_locked_bytes(), 0U);
        });
    if (child.exit_status == test::child_setup_failed)
        GTEST_SKIP() << child.output;
    EXPECT_TRUE(child.passed()) << child.output;
}

TEST(PrepareThisThread, AFailingLockIsAnErrorAndLeavesNothing) {
    const std::size_t locked = vm_locked_bytes();
    run_in_thread([] {
        failing_kernel kernel;
        kernel.fail(call::lock, 1, EAGAIN);
        const os::kernel_replacement in_force(kernel);
        const auto refused = prepare_this_thread();
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().operation(), operation::lock);
        EXPECT_EQ(refused.error().error_number(), EAGAIN);
        EXPECT_EQ(kernel.calls(call::advise), 2U) << "excluded from fork, and included again";
    });
    EXPECT_EQ(vm_locked_bytes(), locked);
}

TEST(PrepareThisThread, AFailingExtraIsReportedByItsStep) {
    run_in_thread([] {
        failing_kernel kernel;
        kernel.fail(call::set_memory_policy, 1, EPERM);
        kernel.fail(call::advise, 1, ENOMEM);
        const os::kernel_replacement in_force(kernel);
        const auto done = prepare_this_thread();
        ASSERT_TRUE(done);
        EXPECT_FALSE(done->complete());
        EXPECT_EQ(step_named(*done, "prefer local memory node").error_number, EPERM);
        EXPECT_EQ(step_named(*done, "exclude stack from fork").error_number, ENOMEM);
        EXPECT_EQ(step_named(*done, "lock stack").outcome, preparation_outcome::done);
    });
}

// ---------------------------------------------------------------- 5. Again

TEST(PrepareThisThread, PreparingAgainReplacesWhatWasPrepared) {
    const std::size_t locked = vm_locked_bytes();
    run_in_thread([&] {
        const auto first = prepare_this_thread({.stack = 512_KiB});
        const auto second = prepare_this_thread({.stack = 64_KiB});
        ASSERT_TRUE(first && second);
        EXPECT_EQ(vm_locked_bytes(), locked + step_named(*second, "lock stack").bytes);
        ASSERT_TRUE(prepare_this_thread({.stack = 0}));
        EXPECT_EQ(vm_locked_bytes(), locked);
    });
}

} // namespace
} // namespace resident
