// Concerns: every limit that can refuse or kill is seen, and nothing that does not apply refuses:
// RLIMIT_MEMLOCK with and without CAP_IPC_LOCK, in user namespaces; memory cgroups of version 1, 2
// and both, at every ancestor, in containers that see part of the hierarchy; RAM; overcommit.
// Plan: trees of files served from strings; then real children with real limits, and a real cgroup.
#include "os/cgroups.hpp"
#include "os/headroom.hpp"
#include "resident/size_literals.hpp"
#include "support/child.hpp"
#include "support/failing_kernel.hpp"
#include "support/fake_machine.hpp"
#include "support/guarded_cgroup.hpp"
#include "support/process_state.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include <sys/mman.h>
#include <sys/resource.h>

namespace {

using namespace resident;
using namespace resident::literals;

using test::fake_machine;

TEST(read_headroom, sees_no_limit_where_there_is_none) {
    fake_machine machine;
    const os::kernel_replacement replacement(machine);
    const headroom_snapshot headroom = os::read_headroom();
    EXPECT_EQ(headroom.memlock_soft_limit, unlimited);
    EXPECT_EQ(headroom.memlock_hard_limit, unlimited);
    EXPECT_EQ(headroom.available_memory, unlimited);
    EXPECT_EQ(headroom.cgroup_count, 0U);
    EXPECT_FALSE(headroom.strict_overcommit);
    EXPECT_FALSE(headroom.can_exceed_memlock);
    EXPECT_EQ(os::lockable(headroom), unlimited);
    EXPECT_FALSE(os::check_headroom(1000_MiB, 1000_MiB).refused);
}

TEST(read_headroom, reads_the_process_and_the_machine) {
    fake_machine machine;
    machine.set_memory_limit(8_MiB, 64_MiB);
    machine.serve("/proc/self/status", "Name: x\nUid:\t1\t2\t3\t4\nVmLck:\t    2048 kB\n");
    machine.serve("/proc/meminfo", "MemTotal: 9 kB\nMemAvailable:    1024 kB\n");
    machine.serve("/proc/sys/vm/overcommit_memory", "2\n");
    const os::kernel_replacement replacement(machine);
    const headroom_snapshot headroom = os::read_headroom();
    EXPECT_EQ(headroom.memlock_soft_limit, 8_MiB);
    EXPECT_EQ(headroom.memlock_hard_limit, 64_MiB);
    EXPECT_EQ(headroom.locked, 2_MiB);
    EXPECT_EQ(headroom.available_memory, 1_MiB);
    EXPECT_TRUE(headroom.strict_overcommit);
    EXPECT_EQ(os::lockable(headroom), 6_MiB);
}

TEST(read_headroom, a_capability_counts_only_in_the_first_user_namespace) {
    fake_machine machine;
    machine.set_memory_limit(8_MiB, 8_MiB);
    machine.set_capabilities(test::ipc_lock);
    const os::kernel_replacement replacement(machine);
    EXPECT_TRUE(os::read_headroom().can_exceed_memlock) << "no user namespaces in this kernel";
    machine.serve("/proc/self/uid_map", "         0          0 4294967295\n");
    EXPECT_TRUE(os::read_headroom().can_exceed_memlock);
    machine.serve("/proc/self/uid_map", "         0       1000          1\n");
    EXPECT_FALSE(os::read_headroom().can_exceed_memlock) << "root of a rootless container";
    EXPECT_EQ(os::lockable(os::read_headroom()), 8_MiB);
}

TEST(read_headroom, more_locked_than_the_limit_leaves_nothing) {
    fake_machine machine;
    machine.set_memory_limit(1_MiB, 1_MiB);
    machine.serve("/proc/self/status", "VmLck: 2048 kB\n");
    const os::kernel_replacement replacement(machine);
    EXPECT_EQ(os::lockable(os::read_headroom()), 0U);
}

TEST(memory_cgroups, version_2_with_every_ancestor) {
    fake_machine machine;
    machine.serve("/proc/self/cgroup", "0::/user.slice/app.service\n");
    machine.serve(
        "/proc/self/mountinfo",
        "25 20 0:22 / /proc rw - proc proc rw\n"
        "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
    machine.serve("/sys/fs/cgroup/user.slice/app.service/memory.max", "max\n");
    machine.serve("/sys/fs/cgroup/user.slice/memory.max", "134217728\n");
    machine.serve("/sys/fs/cgroup/user.slice/memory.current", "67108864\n");
    machine.serve("/sys/fs/cgroup/user.slice/memory.stat", "anon 5\ninactive_file 1048576\n");
    const os::kernel_replacement replacement(machine);
    const headroom_snapshot headroom = os::read_headroom();
    ASSERT_EQ(headroom.cgroup_count, 1U);
    EXPECT_STREQ(headroom.cgroups[0].path.data(), "/user.slice");
    EXPECT_EQ(headroom.cgroups[0].limit, 128_MiB);
    EXPECT_EQ(headroom.cgroups[0].usage, 63_MiB);
    EXPECT_EQ(os::room(headroom.cgroups[0]), 65_MiB);
}

TEST(memory_cgroups, version_1_beside_an_empty_version_2) {
    fake_machine machine;
    machine.serve("/proc/self/cgroup", "9:name=systemd:/x\n4:cpu,memory,pids:/a/b\n0::/x\n");
    machine.serve("/proc/self/mountinfo",
                  "32 31 0:29 / /cg/cpu rw - cgroup cgroup rw,cpu\n"
                  "35 31 0:32 / /cg/memory rw,relatime - cgroup cgroup rw,memory\n"
                  "41 31 0:38 / /cg/unified rw - cgroup2 cgroup2 rw\n");
    machine.serve("/cg/memory/a/b/memory.limit_in_bytes", "1048576\n");
    machine.serve("/cg/memory/a/b/memory.usage_in_bytes", "4096\n");
    machine.serve("/cg/memory/a/b/memory.stat", "inactive_file 1\ntotal_inactive_file 8192\n");
    machine.serve("/cg/memory/a/memory.limit_in_bytes", "2097152\n");
    machine.serve("/cg/memory/memory.limit_in_bytes", "9223372036854771712\n");
    const os::kernel_replacement replacement(machine);
    const headroom_snapshot headroom = os::read_headroom();
    ASSERT_EQ(headroom.cgroup_count, 2U);
    EXPECT_STREQ(headroom.cgroups[0].path.data(), "/a/b");
    EXPECT_EQ(headroom.cgroups[0].usage, 0U) << "more droppable than used, in a race";
    EXPECT_STREQ(headroom.cgroups[1].path.data(), "/a");
    EXPECT_EQ(headroom.cgroups[1].limit, 2_MiB);
}

TEST(memory_cgroups, container_with_a_mount_of_its_own_part) {
    fake_machine machine;
    machine.serve("/proc/self/cgroup", "4:memory:/docker/abc/inner\n");
    machine.serve("/proc/self/mountinfo",
                  "35 31 0:32 /docker/other /elsewhere rw - cgroup c rw,memory\n"
                  "36 31 0:32 /docker/abc /m\\040m ro - cgroup c rw,memory\n");
    machine.serve("/m m/inner/memory.limit_in_bytes", "4096\n");
    machine.serve("/m m/memory.limit_in_bytes", "8192\n");
    machine.serve("/memory.limit_in_bytes", "1\n");
    const os::kernel_replacement replacement(machine);
    const headroom_snapshot headroom = os::read_headroom();
    ASSERT_EQ(headroom.cgroup_count, 2U);
    EXPECT_STREQ(headroom.cgroups[0].path.data(), "/inner");
    EXPECT_STREQ(headroom.cgroups[1].path.data(), "/");
    EXPECT_EQ(headroom.cgroups[1].limit, 8192U);
}

TEST(memory_cgroups, a_path_outside_the_mount_is_looked_for_at_the_mount_point) {
    for (const char* path : {"0::/../other\n", "0::/docker/abcdef\n", "0::/docker/x/..\n"}) {
        fake_machine machine;
        machine.serve("/proc/self/cgroup", path);
        machine.serve("/proc/self/mountinfo", "36 31 0:32 /docker/abc /cg rw - cgroup2 c rw\n");
        machine.serve("/cg/memory.max", "8192\n");
        const os::kernel_replacement replacement(machine);
        const headroom_snapshot headroom = os::read_headroom();
        ASSERT_EQ(headroom.cgroup_count, 1U) << path;
        EXPECT_STREQ(headroom.cgroups[0].path.data(), "/");
    }
}

TEST(memory_cgroups, of_many_levels_the_tightest_stay) {
    fake_machine machine;
    std::string path;
    for (int level = 1; level <= 12; ++level) {
        path += "/l" + std::to_string(level);
        const auto limit = std::to_string((level == 2 ? 1 : level) * 1_MiB);
        machine.serve("/cg" + path + "/memory.max", limit + "\n");
    }
    machine.serve("/proc/self/cgroup", "0::" + path + "\n");
    machine.serve("/proc/self/mountinfo", "36 31 0:32 / /cg rw - cgroup2 c rw\n");
    const os::kernel_replacement replacement(machine);
    const headroom_snapshot headroom = os::read_headroom();
    ASSERT_EQ(headroom.cgroup_count, 8U);
    EXPECT_STREQ(headroom.cgroups[7].path.data(), "/l1") << "innermost first";
    EXPECT_EQ(os::tightest(headroom)->limit, 1_MiB);
    EXPECT_EQ(headroom.cgroups[0].limit, 8_MiB);
}

TEST(memory_cgroups, hostile_files_are_survived) {
    const std::string endless(10000, '/');
    for (const std::string& text : {std::string("::"), std::string("0:"), std::string("0::"),
                                    "0::" + endless, std::string(5000, ':'), std::string("\n\n")}) {
        fake_machine machine;
        machine.serve("/proc/self/cgroup", text);
        machine.serve("/proc/self/mountinfo",
                      " - \n - cgroup2\nx - cgroup2 c rw\n1 2 3 / " + endless +
                          " rw - cgroup2 c rw\n1 2 3 \\777\\08 /cg\\ rw - cgroup2 c rw\n");
        const os::kernel_replacement replacement(machine);
        EXPECT_EQ(os::read_headroom().cgroup_count, 0U);
    }
}

TEST(memory_cgroups, a_long_path_keeps_its_tail) {
    fake_machine machine;
    std::string path(202, 'a');
    path[0] = path[101] = '/';
    machine.serve("/proc/self/cgroup", "0::" + path + "\n");
    machine.serve("/proc/self/mountinfo", "36 31 0:32 / /cg rw - cgroup2 c rw\n");
    machine.serve("/cg" + path + "/memory.max", "1\n");
    const os::kernel_replacement replacement(machine);
    EXPECT_EQ(std::string(os::read_headroom().cgroups[0].path.data()),
              path.substr(path.size() - 127));
}

TEST(check_headroom, raises_the_soft_limit_only_when_needed) {
    fake_machine machine;
    machine.set_memory_limit(1_MiB, 4_MiB);
    const os::kernel_replacement replacement(machine);
    EXPECT_FALSE(os::check_headroom(1_MiB, 0).refused);
    EXPECT_EQ(os::read_headroom().memlock_soft_limit, 1_MiB);
    EXPECT_FALSE(os::check_headroom(2_MiB, 0).refused);
    EXPECT_EQ(os::read_headroom().memlock_soft_limit, 4_MiB);
    const os::refusal refused = os::check_headroom(4_MiB + 1, 0);
    ASSERT_TRUE(refused.refused);
    EXPECT_EQ(refused.details.cause, cause::memlock_limit);
    EXPECT_EQ(refused.details.operation, operation::check_headroom);
    EXPECT_EQ(refused.details.bytes_asked, 4_MiB + 1);
    EXPECT_EQ(refused.details.headroom.memlock_soft_limit, 4_MiB);
    EXPECT_STREQ(refused.details.reason.data(), "4 MiB to lock, but RLIMIT_MEMLOCK leaves 4 MiB "
                                                "(soft limit 4 MiB, already locked 0 bytes)");
}

TEST(check_headroom, leaves_the_soft_limit_where_the_hard_one_would_not_suffice) {
    fake_machine machine;
    machine.set_memory_limit(1_MiB, 4_MiB);
    machine.serve("/proc/self/status", "VmLck: 1024 kB\n");
    const os::kernel_replacement replacement(machine);
    const os::refusal refused = os::check_headroom(3_MiB + 1, 0);
    ASSERT_TRUE(refused.refused);
    EXPECT_EQ(refused.details.cause, cause::memlock_limit);
    EXPECT_STREQ(refused.details.reason.data(),
                 "3 MiB to lock, but RLIMIT_MEMLOCK leaves 0 bytes (soft limit 1 MiB, hard limit 4 "
                 "MiB, already locked 1 MiB)");
    EXPECT_EQ(os::read_headroom().memlock_soft_limit, 1_MiB);
    EXPECT_FALSE(os::check_headroom(3_MiB, 0).refused) << "just enough";
    EXPECT_EQ(os::read_headroom().memlock_soft_limit, 4_MiB);
}

TEST(check_headroom, refuses_where_the_soft_limit_may_not_be_raised) {
    fake_machine machine;
    machine.set_memory_limit(0, 4_MiB);
    test::failing_kernel kernel(machine);
    kernel.fail(test::failing_kernel::call::set_limit, 0, EPERM);
    const os::kernel_replacement replacement(kernel);
    EXPECT_EQ(os::check_headroom(1_MiB, 0).details.cause, cause::memlock_limit);
    EXPECT_EQ(kernel.calls(test::failing_kernel::call::set_limit), 1U);
    EXPECT_EQ(os::check_headroom(5_MiB, 0).details.cause, cause::memlock_limit);
    EXPECT_EQ(kernel.calls(test::failing_kernel::call::set_limit), 1U) << "in vain";
}

TEST(check_headroom, a_limit_of_zero_is_said) {
    fake_machine machine;
    machine.set_memory_limit(0, 0);
    const os::kernel_replacement replacement(machine);
    const os::refusal refused = os::check_headroom(1, 0);
    ASSERT_TRUE(refused.refused);
    EXPECT_EQ(refused.details.cause, cause::not_permitted);
    EXPECT_FALSE(os::check_headroom(0, 1).refused) << "nothing is to be locked";
}

TEST(check_headroom, keeps_the_margin_in_ram_and_in_the_tightest_cgroup) {
    fake_machine machine;
    machine.serve("/proc/meminfo", "MemAvailable: 32768 kB\n");
    const os::kernel_replacement replacement(machine);
    EXPECT_FALSE(os::check_headroom(0, 24_MiB).refused);
    os::refusal refused = os::check_headroom(0, 24_MiB + 1);
    ASSERT_TRUE(refused.refused);
    EXPECT_EQ(refused.details.cause, cause::physical_memory);
    EXPECT_TRUE(os::check_populate_headroom(24_MiB + 1).refused);
    EXPECT_TRUE(os::check_populate_headroom(unlimited).refused) << "no overflow";
    EXPECT_FALSE(os::check_populate_headroom(0).refused);

    machine.serve("/proc/self/cgroup", "0::/x\n");
    machine.serve("/proc/self/mountinfo", "36 31 0:32 / /cg rw - cgroup2 c rw\n");
    machine.serve("/cg/x/memory.max", "16777216\n");
    EXPECT_FALSE(os::check_populate_headroom(8_MiB).refused);
    refused = os::check_populate_headroom(8_MiB + 1);
    ASSERT_TRUE(refused.refused);
    EXPECT_EQ(refused.details.cause, cause::memory_cgroup);
    EXPECT_NE(std::string(refused.details.reason.data()).find("leaves 16 MiB"), std::string::npos)
        << refused.details.reason.data();
}

TEST(real_limits, a_child_without_privilege_raises_soft_to_hard_and_no_further) {
    if (!test::can_change_privileges())
        GTEST_SKIP() << "needs root";
    const test::child_options options{
        .keep_ipc_lock = false, .memlock_soft = 64_KiB, .memlock_hard = 1_MiB};
    const auto child = test::run_in_child(options, [] {
        EXPECT_FALSE(os::read_headroom().can_exceed_memlock);
        EXPECT_EQ(os::lockable(os::read_headroom()), 64_KiB);
        EXPECT_FALSE(os::check_headroom(1_MiB, 0).refused);
        EXPECT_EQ(os::lockable(os::read_headroom()), 1_MiB);
        EXPECT_EQ(os::check_headroom(1_MiB + 1, 0).details.cause, cause::memlock_limit);
    });
    EXPECT_TRUE(child.passed()) << child.output;
}

/// Maps `bytes` and locks them; the error as make_error tells it.
error lock_error(std::size_t bytes) {
    const os::outcome mapped =
        os::system().map(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    EXPECT_TRUE(mapped);
    auto* const address = reinterpret_cast<void*>(mapped.value());
    const os::outcome locked = os::system().lock(address, bytes);
    EXPECT_FALSE(locked);
    const error failure = os::make_error(operation::lock, locked.error_number(), bytes, "test");
    EXPECT_TRUE(os::system().unmap(address, bytes));
    return failure;
}

TEST(real_limits, the_kernel_s_refusals_are_decoded) {
    if (!test::can_change_privileges())
        GTEST_SKIP() << "needs root";
    const test::child_options nothing{.uid = 65534, .memlock_soft = 0, .memlock_hard = 0};
    auto child = test::run_in_child(nothing, [] {
        const error failure = lock_error(64_KiB);
        EXPECT_EQ(failure.error_number(), EPERM);
        EXPECT_EQ(failure.cause(), cause::not_permitted);
        EXPECT_NE(std::string(failure.what()).find("RLIMIT_MEMLOCK is 0"), std::string::npos);
    });
    EXPECT_TRUE(child.passed()) << child.output;

    const test::child_options little{.uid = 65534, .memlock_soft = 64_KiB, .memlock_hard = 64_KiB};
    child = test::run_in_child(little, [] {
        const error failure = lock_error(128_KiB);
        EXPECT_EQ(failure.error_number(), ENOMEM);
        EXPECT_EQ(failure.cause(), cause::memlock_limit);
        EXPECT_EQ(test::vm_locked_bytes(), 0U);
    });
    EXPECT_TRUE(child.passed()) << child.output;
}

TEST(Serial_real_cgroup, is_seen_by_the_child_in_it) {
    std::string why;
    const auto group = test::guarded_cgroup::create("resident-headroom-test", 96_MiB, why);
    if (!group)
        GTEST_SKIP() << why;
    const auto child = test::run_in_child({.cgroup = group->get()}, [] {
        const headroom_snapshot headroom = os::read_headroom();
        ASSERT_GE(headroom.cgroup_count, 1U);
        EXPECT_EQ(headroom.cgroups[0].limit, 96_MiB);
        EXPECT_NE(std::string(headroom.cgroups[0].path.data()).find("resident-headroom-test"),
                  std::string::npos);
        EXPECT_FALSE(os::check_populate_headroom(16_MiB).refused);
        EXPECT_EQ(os::check_populate_headroom(90_MiB).details.cause, cause::memory_cgroup);
    });
    EXPECT_TRUE(child.passed()) << child.output;
}

} // namespace
