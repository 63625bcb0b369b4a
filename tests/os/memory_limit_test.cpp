// Concerns: the limit is told as the kernel has it; it can be lowered and raised as far as allowed,
// and a refusal is an error that says so.
// Plan: a fake limit for the arithmetic and the refusals; a real child for the real one.
#include "resident/memory_limit.hpp"
#include "support/child.hpp"
#include "support/failing_kernel.hpp"
#include "support/fake_machine.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include <sys/resource.h>

namespace {

using namespace resident;

TEST(memory_limit, headroom_is_what_is_left) {
    EXPECT_EQ((memory_limit{.soft = 10, .hard = 20, .locked = 4}).headroom(), 6U);
    EXPECT_EQ((memory_limit{.soft = 10, .hard = 20, .locked = 14}).headroom(), 0U);
    EXPECT_EQ((memory_limit{.soft = 10, .exempt = true}).headroom(), unlimited);
    EXPECT_EQ((memory_limit{.soft = unlimited}).headroom(), unlimited);
}

TEST(memory_limit, is_read_set_and_raised) {
    test::fake_machine machine;
    machine.set_memory_limit(4096, 8192);
    machine.serve("/proc/self/status", "VmLck: 4 kB\n");
    const os::kernel_replacement replacement(machine);
    EXPECT_EQ(read_memory_limit()->soft, 4096U);
    EXPECT_EQ(read_memory_limit()->hard, 8192U);
    EXPECT_EQ(read_memory_limit()->locked, 4096U);
    EXPECT_EQ(read_memory_limit()->headroom(), 0U);
    EXPECT_EQ(raise_memory_limit()->soft, 8192U);
    EXPECT_EQ(raise_memory_limit()->soft, 8192U) << "again";
    EXPECT_TRUE(set_memory_limit(1024));
    EXPECT_EQ(read_memory_limit()->soft, 1024U);
    EXPECT_TRUE(set_memory_limit(1024, 2048));
    EXPECT_EQ(read_memory_limit()->hard, 2048U);
    EXPECT_EQ(resident::read_headroom().memlock_hard_limit, 2048U);
}

TEST(memory_limit, refusals_are_errors) {
    test::fake_machine machine;
    machine.set_memory_limit(4096, 8192);
    test::failing_kernel kernel(machine);
    const os::kernel_replacement replacement(kernel);
    EXPECT_EQ(set_memory_limit(9000).error().cause(), cause::invalid_argument);
    const status higher = set_memory_limit(9000, 9000);
    EXPECT_EQ(higher.error().cause(), cause::not_permitted);
    EXPECT_EQ(higher.error().operation(), operation::set_limit);
    EXPECT_EQ(set_memory_limit(unlimited, unlimited).error().error_number(), EPERM);

    using call = test::failing_kernel::call;
    kernel.fail(call::set_limit, 1, EPERM);
    EXPECT_FALSE(raise_memory_limit());
    kernel.fail(call::get_limit, 0, EPERM);
    EXPECT_FALSE(read_memory_limit());
    EXPECT_FALSE(raise_memory_limit());
    EXPECT_FALSE(set_memory_limit(1));
}

TEST(memory_limit, of_a_real_process) {
    const auto child = test::run_in_child({.memlock_soft = 65536, .memlock_hard = 131072}, [] {
        EXPECT_EQ(read_memory_limit()->soft, 65536U);
        EXPECT_EQ(raise_memory_limit()->soft, 131072U);
        EXPECT_TRUE(set_memory_limit(4096, 4096));
        rlimit limit{};
        getrlimit(RLIMIT_MEMLOCK, &limit);
        EXPECT_EQ(limit.rlim_max, 4096U);
    });
    EXPECT_TRUE(child.passed()) << child.output;
}

} // namespace
