// Concerns: what the kernel lacks is found out without harm; its version is read as it is written.
// Plan: the errno of kernels without the call; the real kernel against its version; versions served
// from strings, odd ones too.
#include "os/features.hpp"
#include "support/failing_kernel.hpp"
#include "support/fake_machine.hpp"
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
    older.fail(call::control_file, 0, ENOTTY);
    const os::kernel_replacement replacement(older);
    EXPECT_FALSE(os::can_populate_write());
    EXPECT_FALSE(os::can_scan_pagemap());
    EXPECT_EQ(older.open_files(), 0);
    older.fail(call::open_file, 0, EACCES);
    EXPECT_FALSE(os::can_scan_pagemap());
}

TEST(features, of_this_kernel_agree_with_its_version) {
    utsname system{};
    ASSERT_EQ(uname(&system), 0);
    unsigned major = 0;
    unsigned minor = 0;
    ASSERT_EQ(std::sscanf(system.release, "%u.%u", &major, &minor), 2);
    const os::kernel_release running{major, minor};
    EXPECT_EQ(os::running_kernel(), running);
    const auto before = test::process_state::now();
    if (running >= os::kernel_release{5, 14}) {
        EXPECT_TRUE(os::can_populate_write());
    }
    if (running >= os::kernel_release{6, 7}) {
        EXPECT_TRUE(os::can_scan_pagemap());
    }
    EXPECT_EQ(test::process_state::now(), before);
}

constexpr const char* release_path = "/proc/sys/kernel/osrelease";

TEST(kernel_release, is_read_as_distributions_write_it) {
    test::fake_machine machine;
    const os::kernel_replacement replacement(machine);
    const auto read = [&](const char* text) {
        machine.serve(release_path, text);
        return os::running_kernel();
    };
    EXPECT_EQ(read("5.4.0-42-generic\n"), (os::kernel_release{5, 4}));
    EXPECT_EQ(read("6.18-rc2\n"), (os::kernel_release{6, 18}));
    EXPECT_EQ(read("5.15.153.1-microsoft-standard-WSL2"), (os::kernel_release{5, 15}));
    EXPECT_EQ(read("10.0"), (os::kernel_release{10, 0}));
    for (const char* odd : {"", "\n", "6", "6.", ".1", "6-1", "six.one", "-6.1", "99999999999.1",
                            "6.99999999999", "999999999999999999999.1"}) {
        EXPECT_EQ(read(odd), os::kernel_release{}) << odd;
    }
}

TEST(kernel_release, is_zero_where_it_cannot_be_read) {
    test::fake_machine machine;
    machine.hide(release_path, EACCES);
    const os::kernel_replacement replacement(machine);
    EXPECT_EQ(os::running_kernel(), os::kernel_release{});
}

TEST(kernel_release, is_ordered) {
    EXPECT_LT((os::kernel_release{5, 4}), (os::kernel_release{5, 14}));
    EXPECT_LT((os::kernel_release{5, 14}), (os::kernel_release{6, 1}));
    EXPECT_LT(os::kernel_release{}, (os::kernel_release{2, 6}));
}

} // namespace
