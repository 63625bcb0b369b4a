// Concerns
//   A trap stops at the first page fault of its thread, with the right address and instruction; it
//   is silent where nothing faults, in other threads and after its end; and SIGTRAP is given back.
// Plan
//   1. With a handler: addresses, every fault of the scope, none of the handler's own.
//   2. By default: the exact message and abort, in a child.
//   3. Scope: silence without faults, other threads, several traps, after the end, moving.
//   4. SIGTRAP: the former action comes back; other traps reach it; blocked before.
//   5. Refusals: a second trap, failing calls, an ordinary user. 6. Children of a trapped thread.
//   All skip, with the reason, where the kernel has no such events.
#include "os/fault_signal.hpp"
#include "resident/fault_trap.hpp"
#include "support/build.hpp"
#include "support/child.hpp"
#include "support/failing_kernel.hpp"
#include "support/touching.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace resident {
namespace {

using test::failing_kernel;
using test::fresh_pages;
using test::page;
using test::run_in_child;
using ::testing::ContainsRegex;
using call = failing_kernel::call;

/// What the handler saw; filled without any fault of its own.
struct seen {
    std::size_t count = 0;
    trapped_fault faults[64];
};

void remember(const trapped_fault& fault, void* context) {
    auto& all = *static_cast<seen*>(context);
    if (all.count < 64)
        all.faults[all.count] = fault;
    ++all.count;
}

RESIDENT_UNSANITIZED void touch(volatile char* address) { *address = 1; }

/// Whether the instruction lies in touch(), which is short.
bool in_touch(const void* instruction) {
    const auto begin = reinterpret_cast<std::uintptr_t>(&touch);
    const auto address = reinterpret_cast<std::uintptr_t>(instruction);
    return begin <= address && address < begin + 128;
}

/// Faults that the handler saw at the pages; others (code, stack, a sanitizer's shadow memory) are
/// not the test's matter.
std::size_t count_at(const seen& all, const fresh_pages& pages) {
    std::size_t count = 0;
    for (std::size_t index = 0; index < std::min<std::size_t>(all.count, 64); ++index)
        count += all.faults[index].address >= pages[0] &&
                 all.faults[index].address < pages[pages.count()];
    return count;
}

class FaultTrap : public ::testing::Test {
protected:
    void SetUp() override {
        const auto trap = fault_trap::create(remember, &warm_up_);
        if (!trap)
            GTEST_SKIP() << trap.error().what();
        touch(warm_up_pages_[0]); // code and stack of all this are in RAM now
        ASSERT_GE(warm_up_.count, 1U);
    }
    seen warm_up_;
    fresh_pages warm_up_pages_{1};
};

// ---------------------------------------------------------------- 1. With a handler

TEST_F(FaultTrap, TellsTheAddressAndTheInstruction) {
    const fresh_pages pages(4);
    seen all;
    {
        const fault_trap trap(remember, &all);
        touch(pages[2] + 17);
    }
    ASSERT_EQ(count_at(all, pages), 1U);
    const auto& fault = *std::find_if(all.faults, all.faults + all.count, [&](const auto& one) {
        return one.address >= pages[0] && one.address < pages[4];
    });
    EXPECT_EQ(fault.address, pages[2] + 17);
    EXPECT_TRUE(in_touch(fault.instruction)) << fault.instruction;
    EXPECT_EQ(pages[2][17], 1) << "the program goes on";
}

TEST_F(FaultTrap, CallsTheHandlerForEveryFault) {
    const fresh_pages pages(20);
    seen all;
    {
        const fault_trap trap(remember, &all);
        for (std::size_t index = 0; index < pages.count(); ++index)
            touch(pages[index]);
    }
    EXPECT_EQ(count_at(all, pages), pages.count());
}

TEST_F(FaultTrap, LeavesOutTheFaultsOfTheHandlerItself) {
    const fresh_pages pages(3);
    struct {
        seen all;
        char* own;
    } context{{}, pages[2]};
    const auto faulting_handler = [](const trapped_fault& fault, void* opaque) {
        auto& state = *static_cast<decltype(context)*>(opaque);
        remember(fault, &state.all);
        touch(state.own);
    };
    {
        const fault_trap trap(faulting_handler, &context);
        touch(pages[0]);
        touch(pages[1]);
    }
    EXPECT_EQ(count_at(context.all, pages), 2U);
    EXPECT_EQ(pages[2][0], 1);
}

TEST_F(FaultTrap, SeesFaultsInsideSystemCallsWhereItSaysSo) {
    const fresh_pages pages(1);
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    ASSERT_EQ(::write(ends[1], "x", 1), 1);
    seen all;
    bool sees_kernel = false;
    {
        const fault_trap trap(remember, &all);
        sees_kernel = trap.sees_kernel();
        EXPECT_EQ(::read(ends[0], pages[0], 1), 1);
    }
    EXPECT_EQ(count_at(all, pages), sees_kernel ? 1U : 0U);
    ::close(ends[0]);
    ::close(ends[1]);
}

// ---------------------------------------------------------------- 2. By default

TEST_F(FaultTrap, PrintsWhereAndAborts) {
    if (test::thread_sanitized)
        GTEST_SKIP() << "the first fault may be one of ThreadSanitizer's shadow memory";
    const fresh_pages pages(1);
    const auto child = run_in_child({}, [&] {
        touch(warm_up_pages_[0]); // unshared, with the stack
        touch(warm_up_pages_[0]);
        const fault_trap trap;
        touch(pages[0]);
    });
    EXPECT_EQ(child.signal, SIGABRT) << child.output;
    char expected[128];
    std::snprintf(expected, sizeof expected,
                  "^resident: page fault of thread [0-9]+\n"
                  "  touched  %p\n"
                  "  by       0x[0-9a-f]+, .*test_faults",
                  static_cast<void*>(pages[0]));
    EXPECT_THAT(child.output, ContainsRegex(expected));
}

// ---------------------------------------------------------------- 3. Scope

TEST_F(FaultTrap, IsSilentWhereNothingFaults) {
    const fresh_pages pages(1);
    touch(pages[0]);
    seen all;
    {
        const fault_trap trap(remember, &all);
        for (int repetition = 0; repetition < 1000; ++repetition)
            touch(pages[0]);
    }
    EXPECT_EQ(test::sanitized ? 0U : all.count, 0U); // a runtime faults by itself
    EXPECT_EQ(count_at(all, pages), 0U);
}

TEST_F(FaultTrap, LeavesOtherThreadsAlone) {
    const fresh_pages pages(8);
    seen all;
    const fault_trap trap(remember, &all);
    std::thread([&] {
        for (std::size_t index = 0; index < pages.count(); ++index)
            touch(pages[index]);
    }).join();
    EXPECT_EQ(count_at(all, pages), 0U);
}

TEST_F(FaultTrap, EachThreadHasItsOwn) {
    constexpr std::size_t thread_count = 4;
    const fresh_pages pages(thread_count * 8);
    seen all[thread_count];
    std::vector<std::thread> threads;
    for (std::size_t which = 0; which < thread_count; ++which)
        threads.emplace_back([&, which] {
            for (std::size_t index = 0; index < 8; ++index) {
                const fault_trap trap(remember, &all[which]); // made and ended beside the others'
                touch(pages[which * 8 + index]);
            }
        });
    for (auto& thread : threads)
        thread.join();
    for (const seen& one : all)
        EXPECT_EQ(count_at(one, pages), 8U);
}

TEST_F(FaultTrap, EndsWithItsLife) {
    const fresh_pages pages(1);
    seen all;
    { const fault_trap trap(remember, &all); }
    touch(pages[0]);
    EXPECT_EQ(count_at(all, pages), 0U);
}

TEST_F(FaultTrap, MayMove) {
    const fresh_pages pages(2);
    seen all;
    {
        fault_trap first(remember, &all);
        const fault_trap second(std::move(first));
        EXPECT_FALSE(first.sees_kernel()); // NOLINT(bugprone-use-after-move): it is specified
        touch(pages[0]);
    }
    touch(pages[1]);
    EXPECT_EQ(count_at(all, pages), 1U);
}

// ---------------------------------------------------------------- 4. SIGTRAP

volatile std::sig_atomic_t former_handler_calls = 0;
void former_handler(int) { former_handler_calls = former_handler_calls + 1; }

/// Another action for SIGTRAP while it lives.
class trap_action {
public:
    trap_action() {
        struct sigaction action {};
        action.sa_handler = former_handler;
        ::sigaction(SIGTRAP, &action, &before_);
    }
    ~trap_action() { ::sigaction(SIGTRAP, &before_, nullptr); }
    static bool in_force() {
        struct sigaction now {};
        ::sigaction(SIGTRAP, nullptr, &now);
        return now.sa_handler == former_handler;
    }

private:
    struct sigaction before_ {};
};

TEST_F(FaultTrap, GivesTheFormerActionBackWithTheLastTrap) {
    const trap_action former;
    {
        const fault_trap here(remember, &warm_up_);
        EXPECT_FALSE(trap_action::in_force());
        std::thread([&] { const fault_trap there(remember, &warm_up_); }).join();
        EXPECT_FALSE(trap_action::in_force()) << "given back before the last one ended";
    }
    EXPECT_TRUE(trap_action::in_force());
}

TEST_F(FaultTrap, PassesOtherTrapsToTheFormerAction) {
    const trap_action former;
    former_handler_calls = 0;
    const fault_trap trap(remember, &warm_up_);
    ::raise(SIGTRAP);
    EXPECT_EQ(former_handler_calls, 1);
}

TEST_F(FaultTrap, OtherTrapsEndTheProgramWhereThatWasTheFormerAction) {
    const auto child = run_in_child({}, [] {
        ::signal(SIGTRAP, SIG_DFL);
        seen all;
        const fault_trap trap(remember, &all);
        ::raise(SIGTRAP);
    });
    EXPECT_EQ(child.signal, SIGTRAP) << child.output;
}

TEST_F(FaultTrap, LeavesAnActionAloneThatCameMeanwhile) {
    struct sigaction before {};
    ::sigaction(SIGTRAP, nullptr, &before);
    std::optional<fault_trap> trap(std::in_place, remember, &warm_up_);
    const trap_action newer;
    trap.reset();
    EXPECT_TRUE(trap_action::in_force());
    ::sigaction(SIGTRAP, &before, nullptr);
}

TEST_F(FaultTrap, UnblocksSigtrapAndBlocksItAgain) {
    sigset_t trap_alone;
    sigset_t mask;
    ::sigemptyset(&trap_alone);
    ::sigaddset(&trap_alone, SIGTRAP);
    ::pthread_sigmask(SIG_BLOCK, &trap_alone, nullptr);
    const fresh_pages pages(1);
    seen all;
    {
        const fault_trap trap(remember, &all);
        touch(pages[0]);
        EXPECT_EQ(count_at(all, pages), 1U);
    }
    ::pthread_sigmask(SIG_UNBLOCK, &trap_alone, &mask);
    EXPECT_EQ(::sigismember(&mask, SIGTRAP), 1);
}

// ---------------------------------------------------------------- 5. Refusals

TEST_F(FaultTrap, OneAThread) {
    const fault_trap first(remember, &warm_up_);
    const auto second = fault_trap::create();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().cause(), cause::invalid_argument);
}

TEST_F(FaultTrap, ReportsWhatTheKernelRefusesAndTakesNothing) {
    const trap_action former;
    for (const int error_number : {ENOENT, EINVAL, EMFILE, EOPNOTSUPP}) {
        failing_kernel kernel;
        kernel.fail(call::open_fault_event, 0, error_number);
        const os::kernel_replacement in_force(kernel);
        const auto refused = fault_trap::create();
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().operation(), operation::observe_faults);
        EXPECT_EQ(refused.error().error_number(), error_number);
        EXPECT_TRUE(trap_action::in_force());
        EXPECT_EQ(kernel.calls(call::open_fault_event), 1U);
    }
}

TEST_F(FaultTrap, LeavesOutTheKernelWhereItMayNotBeWatched) {
    for (const int error_number : {EACCES, EPERM}) {
        const fresh_pages pages(1);
        seen all;
        const fault_trap trap = [&] { // the replacement itself is not for signal handlers
            failing_kernel kernel;
            kernel.fail(call::open_fault_event, 1, error_number);
            const os::kernel_replacement in_force(kernel);
            return fault_trap(remember, &all);
        }();
        EXPECT_FALSE(trap.sees_kernel());
        touch(pages[0]);
        EXPECT_EQ(count_at(all, pages), 1U);
    }
}

TEST_F(FaultTrap, WorksForAnOrdinaryUser) {
    const auto child = run_in_child({.uid = 65534}, [] {
        const fresh_pages pages(1);
        seen all;
        const auto trap = fault_trap::create(remember, &all);
        if (!trap) {
            EXPECT_EQ(trap.error().cause(), cause::not_permitted) << trap.error().what();
            return; // kernel.perf_event_paranoid above 2
        }
        touch(pages[0]);
        EXPECT_EQ(count_at(all, pages), 1U);
    });
    if (child.exit_status == test::child_setup_failed)
        GTEST_SKIP() << child.output;
    EXPECT_TRUE(child.passed()) << child.output;
}

// ---------------------------------------------------------------- 6. Children

TEST_F(FaultTrap, AForkedChildHasNoTrapAndMayEndItsCopy) {
    if (test::thread_sanitized)
        GTEST_SKIP() << "ThreadSanitizer's runtime may hang in a forked child";
    const fresh_pages pages(2);
    seen all;
    std::optional<fault_trap> trap(std::in_place, remember, &all);
    const pid_t child = ::fork();
    if (child == 0) {
        touch(pages[0]);
        const std::size_t seen_by_child = count_at(all, pages);
        trap.reset();
        ::_exit(static_cast<int>(seen_by_child));
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    touch(pages[1]);
    EXPECT_EQ(count_at(all, pages), 1U) << "the child's copy ended the parent's trap";
}

} // namespace
} // namespace resident
