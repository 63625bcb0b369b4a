// Concerns: the counter tells a child that fails from one that cannot be traced, and says which
// call it failed in; a call without an end is ended; nothing is left running. Plan: a child for
// each way to end badly, and a look at what processes are left.

#include "os/known_instructions.hpp"
#include "support/child.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace resident;
#if defined(__x86_64__)

using test::instruction_counter;
using testing::HasSubstr;

bool has_children() { return waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD; }

std::string failure_of(const std::function<void(os::stepper&)>& body,
                       const os::counting_options& options = {}) {
    const auto counts = os::count_instructions(body, options);
    EXPECT_EQ(counts.refused, "");
    EXPECT_FALSE(has_children());
    return counts.failure;
}

TEST_F(instruction_counter, a_child_that_is_killed_is_a_failure) {
    EXPECT_THAT(failure_of([](os::stepper&) { std::abort(); }),
                HasSubstr("ended by signal 6 (Aborted)"));
    EXPECT_THAT(failure_of([](os::stepper& stepper) {
                    stepper.measure("bad", "null", [] { raise(SIGKILL); });
                }),
                HasSubstr("signal 9 (Killed) inside the bracket \"bad\" (null)"));
}

TEST_F(instruction_counter, a_child_that_exits_is_a_failure) {
    EXPECT_EQ(failure_of([](os::stepper&) { _exit(0); }), "the child exited by itself, with 0");
    EXPECT_EQ(failure_of([](os::stepper& stepper) { stepper.measure("exit", [] { _exit(3); }); }),
              "the child exited by itself, with 3");
}

TEST_F(instruction_counter, a_body_can_fail_in_its_own_words) {
    EXPECT_EQ(failure_of([](os::stepper& stepper) {
                  stepper.fail("the first");
                  stepper.fail("the second");
              }),
              "the first");
}

TEST_F(instruction_counter, an_expectation_that_fails_in_the_child_is_a_failure) {
    const auto counts = test::count_instructions(
        [](os::stepper&) { ADD_FAILURE() << "in the child alone, as this test wants it"; });
    EXPECT_EQ(counts.failure, "an expectation failed in the child, see above");
}

TEST_F(instruction_counter, a_call_without_an_end_is_a_failure) {
    const auto endless = [](os::stepper& stepper) {
        stepper.measure("endless", [] { asm volatile("1: nop; jmp 1b"); });
    };
    EXPECT_EQ(failure_of(endless, {.longest_call = 1000}),
              "more than 1000 steps inside the bracket \"endless\"");
}

TEST_F(instruction_counter, brackets_do_not_nest_and_labels_are_not_cut) {
    EXPECT_EQ(failure_of([](os::stepper& stepper) {
                  stepper.measure("outer", [&] { stepper.measure("inner", [] {}); });
              }),
              "a bracket inside of a bracket");
    EXPECT_EQ(
        failure_of([](os::stepper& stepper) { stepper.measure(std::string(128, 'x'), [] {}); }),
        "a label is too long");
}

TEST_F(instruction_counter, tells_that_tracing_is_forbidden) {
    const auto child = test::run_in_child({}, [] {
        std::array<sock_filter, 4> steps{{
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        }};
        const sock_fprog program{steps.size(), steps.data()};
        ASSERT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        ASSERT_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
        const auto counts = os::count_instructions([](os::stepper&) {});
        EXPECT_EQ(counts.failure, "");
        EXPECT_THAT(counts.refused, HasSubstr("may not trace its child"));
        EXPECT_THAT(counts.refused, HasSubstr("Operation not permitted"));
        EXPECT_FALSE(has_children());
    });
    EXPECT_TRUE(child.passed()) << child.output;
}

TEST_F(instruction_counter, the_child_ends_with_the_process_that_traces_it) {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);
    const pid_t tracer = fork();
    if (tracer == 0) {
        (void)os::count_instructions([&](os::stepper&) {
            [[maybe_unused]] const ssize_t told = write(ends[1], "s", 1);
            pause();
        });
        _exit(0);
    }
    close(ends[1]);
    char told = 0;
    ASSERT_EQ(read(ends[0], &told, 1), 1);
    kill(tracer, SIGKILL);
    ASSERT_EQ(waitpid(tracer, nullptr, 0), tracer);
    pollfd end{ends[0], POLLIN, 0};
    ASSERT_EQ(poll(&end, 1, 30'000), 1); // the last that can write is gone
    EXPECT_EQ(read(ends[0], &told, 1), 0);
    close(ends[0]);
}

#endif

} // namespace
