// Concerns: what the kernel lacks is found out without harm, and what it refuses for other reasons
// is not taken for lacking.
// Plan: the errno of kernels without the call; the real kernel against its version.
#include "os/features.hpp"
#include "support/failing_kernel.hpp"
#include "support/process_state.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>

#include <sys/utsname.h>

namespace {

using namespace resident;
using call = test::failing_kernel::call;

TEST(features, are_absent_where_the_kernel_does_not_know_them) {
    test::failing_kernel older;
    older.fail(call::advise, 0, EINVAL);
    older.fail(call::lock_on_fault, 0, ENOSYS);
    older.fail(call::control_file, 0, ENOTTY);
    const os::kernel_replacement replacement(older);
    EXPECT_FALSE(os::can_populate_write());
    EXPECT_FALSE(os::can_lock_on_fault());
    EXPECT_FALSE(os::can_scan_pagemap());
    EXPECT_EQ(older.open_files(), 0);
    older.fail(call::open_file, 0, EACCES);
    EXPECT_FALSE(os::can_scan_pagemap());
}

TEST(features, a_limit_of_zero_does_not_hide_the_call) {
    test::failing_kernel kernel;
    kernel.fail(call::lock_on_fault, 0, EPERM);
    const os::kernel_replacement replacement(kernel);
    EXPECT_TRUE(os::can_lock_on_fault());
}

TEST(features, of_this_kernel_agree_with_its_version) {
    utsname system{};
    ASSERT_EQ(uname(&system), 0);
    int major = 0;
    int minor = 0;
    ASSERT_EQ(std::sscanf(system.release, "%d.%d", &major, &minor), 2);
    const auto since = [&](int first, int second) {
        return major > first || (major == first && minor >= second);
    };
    const auto before = test::process_state::now();
    if (since(5, 14)) {
        EXPECT_TRUE(os::can_populate_write());
    }
    if (since(4, 4)) {
        EXPECT_TRUE(os::can_lock_on_fault());
    }
    if (since(6, 7)) {
        EXPECT_TRUE(os::can_scan_pagemap());
    }
    EXPECT_EQ(test::process_state::now(), before);
}

} // namespace
