// Concerns: every limit on threads is seen, none that does not apply, and the tightest is named.
// Plan: files served from strings, limits and capabilities of one's own.
#include "os/harness/process_memory.hpp"
#include "os/harness/thread_room.hpp"
#include "os/harness/thread_stacks.hpp"
#include "resident/fault_counter.hpp"
#include "support/build.hpp"
#include "support/fake_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>

namespace resident::test {
namespace {

using testing::HasSubstr;

/// Without a limit on threads until one is put in.
class thread_machine : public fake_machine {
public:
    thread_machine() {
        hide("/proc/sys/kernel");
        serve("/proc/loadavg", "0.10 0.20 0.30 2/700 4242\n");
    }
    os::outcome get_limit(int resource, rlimit& limit) noexcept override {
        if (resource != RLIMIT_NPROC)
            return fake_machine::get_limit(resource, limit);
        limit = of_user;
        return os::outcome::success();
    }
    rlimit of_user{RLIM_INFINITY, RLIM_INFINITY};
};

class ThreadRoom : public testing::Test {
protected:
    thread_machine machine;
    os::kernel_replacement replacement{machine};
};

TEST_F(ThreadRoom, WithoutALimitAllMayBeStarted) {
    EXPECT_EQ(os::read_thread_room().left, UINT64_MAX);
}

TEST_F(ThreadRoom, OfWhatAllProgramsShareHalfIsLeftToOthers) {
    machine.serve("/proc/sys/kernel/threads-max", "192729\n");
    machine.serve("/proc/sys/kernel/pid_max", "32768\n");
    const os::thread_room room = os::read_thread_room();
    EXPECT_EQ(room.limit_is, "kernel.pid_max");
    EXPECT_EQ(room.limit, 32'768U);
    EXPECT_EQ(room.in_use, 700U);
    EXPECT_EQ(room.left, (32'768U - 700U) / 2);
    EXPECT_THAT(room.remedy, HasSubstr("sysctl kernel.pid_max"));
    machine.serve("/proc/sys/kernel/threads-max", "500\n");
    EXPECT_EQ(os::read_thread_room().left, 0U) << "more are in use than are allowed";
}

TEST_F(ThreadRoom, TheTightestCgroupIsNamed) {
    machine.serve("/proc/self/cgroup", "8:pids:/a/b\n0::/\n");
    machine.serve("/proc/self/mountinfo", "31 30 0:28 / /cg/pids rw - cgroup cgroup rw,pids\n"
                                          "32 30 0:29 / /cg/memory rw - cgroup cgroup rw,memory\n");
    machine.serve("/cg/pids/a/b/pids.max", "max\n");
    machine.serve("/cg/pids/a/b/pids.current", "12\n");
    machine.serve("/cg/pids/a/pids.max", "100\n");
    machine.serve("/cg/pids/a/pids.current", "20\n");
    os::thread_room room = os::read_thread_room();
    EXPECT_EQ(room.limit_is, "pids.max of cgroup /a");
    EXPECT_EQ(room.left, 80U);
    machine.serve("/proc/self/cgroup", "0::/service\n");
    machine.serve("/proc/self/mountinfo", "31 30 0:28 / /cg rw - cgroup2 cgroup2 rw\n");
    machine.serve("/cg/service/pids.max", "64\n");
    machine.serve("/cg/service/pids.current", "4\n");
    room = os::read_thread_room();
    EXPECT_EQ(room.limit_is, "pids.max of cgroup /service");
    EXPECT_EQ(room.left, 60U);
}

TEST_F(ThreadRoom, TheUsersLimitIsForThoseWithoutThePrivilege) {
    machine.of_user = {1'000'000, 1'000'000};
    const os::thread_room room = os::read_thread_room();
    EXPECT_EQ(room.limit_is, "RLIMIT_NPROC");
    EXPECT_GE(room.in_use, 1U) << "this one";
    EXPECT_EQ(room.left, 1'000'000 - room.in_use);
    for (const int capability : {CAP_SYS_RESOURCE, CAP_SYS_ADMIN}) {
        machine.set_capabilities(std::uint64_t{1} << capability);
        EXPECT_EQ(os::read_thread_room().left, UINT64_MAX);
    }
}

TEST(ThreadStacks, OnlyTheUpperPartOfEachIsInRam) {
    if (sanitized)
        GTEST_SKIP() << "a sanitizer's shadow memory faults";
    constexpr std::size_t count = 500;
    using os::thread_stacks;
    const std::size_t before = os::read_process_memory().resident;
    const thread_stacks stacks(count);
    const std::size_t taken = os::read_process_memory().resident - before;
    EXPECT_GE(taken + 1_MiB, count * thread_stacks::populated_each);
    EXPECT_LE(taken, count * thread_stacks::populated_each + 2_MiB);
    fault_counter counter;
    for (std::size_t index = 0; index < count; ++index) {
        const auto upper = stacks[index].last(thread_stacks::populated_each);
        std::fill(upper.begin(), upper.end(), std::byte{1});
    }
    EXPECT_EQ(counter.count(), faults{});
    const auto faults_of_touching = [&counter](std::byte& first) {
        counter.restart();
        first = std::byte{1};
        return counter.count().minor;
    };
    faults_of_touching(stacks[6].back()); // what counts faults has its own at its first run
    EXPECT_EQ(faults_of_touching(stacks[7].front()), 1U) << "the lower part comes when touched";
}

} // namespace
} // namespace resident::test
