// Concerns: the remedy fits the place the process runs in and the cause, and has the right number.
// Plan: a fake machine for each place; the lines as a user would copy them.
#include "os/headroom.hpp"
#include "resident/size_literals.hpp"
#include "support/fake_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <string>

namespace {

using namespace resident;
using namespace resident::literals;
using ::testing::HasSubstr;
using ::testing::Not;

class remedy : public ::testing::Test {
protected:
    remedy() {
        machine.set_memory_limit(8_MiB, 8_MiB);
        // The places these name are made by each test itself.
        unsetenv("container");
        unsetenv("KUBERNETES_SERVICE_HOST");
    }
    ~remedy() override {
        unsetenv("container");
        unsetenv("KUBERNETES_SERVICE_HOST");
    }

    std::string of(operation failed, int error_number, std::size_t bytes = 16_MiB,
                   std::size_t huge_page_size = 0) {
        const os::kernel_replacement replacement(machine);
        return os::make_error(failed, error_number, bytes, "arena", huge_page_size).remedy();
    }
    std::string of_lock() { return of(operation::lock, ENOMEM); }

    test::fake_machine machine;
};

TEST_F(remedy, at_login_is_the_line_for_limits_d) {
    machine.serve("/proc/self/cgroup", "0::/user.slice/user-1000.slice/session-3.scope\n");
    machine.serve("/proc/self/status", "VmLck: 1 kB\nUid:\t0\t1000\t0\t0\n");
    machine.serve("/etc/passwd",
                  ":\n::\nx\nbad:x:1000y:\nada:x:1000:1000:Ada:/nonexistent:/bin/sh\n");
    EXPECT_THAT(of_lock(), HasSubstr("\"ada - memlock 16385\""));
    EXPECT_THAT(of_lock(), HasSubstr("/etc/security/limits.d"));
}

TEST_F(remedy, a_user_without_a_name_is_given_by_number) {
    machine.serve("/proc/self/status", "Uid:\t4242\t4242\t4242\t4242\n");
    EXPECT_THAT(of_lock(), HasSubstr("\"4242 - memlock 16384\""));
}

TEST_F(remedy, in_a_service_is_its_unit) {
    machine.serve("/proc/self/cgroup",
                  "4:memory:/system.slice/motion.service/child\n0::/system.slice/motion.service\n");
    EXPECT_THAT(of_lock(), HasSubstr("systemctl edit motion.service"));
    EXPECT_THAT(of_lock(), HasSubstr("LimitMEMLOCK=16384K"));
}

TEST_F(remedy, in_a_desktop_session_is_the_user_manager) {
    machine.serve("/proc/self/cgroup",
                  "0::/user.slice/user-1000.slice/user@1000.service/app.slice/term.scope\n");
    EXPECT_THAT(of_lock(), HasSubstr("systemctl edit user@.service"));
    EXPECT_THAT(of_lock(), HasSubstr("DefaultLimitMEMLOCK=16384K"));
}

TEST_F(remedy, in_a_container_is_how_to_start_it) {
    machine.serve("/proc/self/cgroup", "0::/system.slice/docker-0123.scope\n");
    EXPECT_THAT(of_lock(), HasSubstr("--ulimit memlock=16777216"));
    EXPECT_THAT(of_lock(), HasSubstr("--cap-add=IPC_LOCK"));
    machine.serve("/proc/self/cgroup", "0::/\n");
    EXPECT_THAT(of_lock(), HasSubstr("limits.d"));
    machine.serve("/run/.containerenv", "");
    EXPECT_THAT(of_lock(), HasSubstr("--ulimit memlock="));
}

TEST_F(remedy, the_environment_tells_a_container_too) {
    setenv("container", "lxc", 1);
    EXPECT_THAT(of_lock(), HasSubstr("--ulimit memlock="));
    setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1);
    EXPECT_THAT(of_lock(), HasSubstr("securityContext.capabilities.add"));
}

TEST_F(remedy, in_a_pod_is_its_security_context) {
    machine.serve("/proc/self/cgroup", "0::/kubepods.slice/kubepods-pod1.slice/cri-1.scope\n");
    machine.serve("/.dockerenv", "");
    EXPECT_THAT(of_lock(), HasSubstr("securityContext.capabilities.add"));
}

TEST_F(remedy, soft_below_hard_needs_no_administrator) {
    machine.set_memory_limit(8_MiB, 16_MiB);
    EXPECT_THAT(of_lock(), HasSubstr("resident::raise_memory_limit()"));
    EXPECT_THAT(of_lock(), HasSubstr("ulimit -S -l 16384"));
    machine.set_memory_limit(0, 16_MiB);
    EXPECT_THAT(of(operation::lock, EPERM), HasSubstr("ulimit -S -l 16384"));
    machine.set_memory_limit(8_MiB, 16_MiB - 1024);
    EXPECT_THAT(of_lock(), Not(HasSubstr("ulimit")));
}

TEST_F(remedy, of_a_limit_of_zero_and_of_a_policy) {
    EXPECT_THAT(of(operation::lock, EPERM, 1_MiB), HasSubstr("seccomp"));
    machine.set_memory_limit(0, 0);
    EXPECT_THAT(of(operation::lock, EPERM), HasSubstr("memlock 16384"));
    EXPECT_THAT(of(operation::set_limit, EPERM), HasSubstr("only the administrator"));
}

TEST_F(remedy, of_a_cgroup_names_it_and_what_it_needs) {
    machine.set_memory_limit(~std::uint64_t{0}, ~std::uint64_t{0});
    machine.serve("/proc/self/cgroup", "0::/x\n");
    machine.serve("/proc/self/mountinfo", "36 31 0:32 / /cg rw - cgroup2 c rw\n");
    machine.serve("/cg/x/memory.max", "2097152\n");
    machine.serve("/cg/x/memory.current", "1048576\n");
    const std::string needed = std::to_string(25_MiB);
    EXPECT_THAT(of(operation::populate, ENOMEM),
                HasSubstr("memory cgroup /x to at least " + needed + " bytes"));
    EXPECT_THAT(of(operation::populate, ENOMEM), HasSubstr("MemoryMax="));
    machine.serve("/.dockerenv", "");
    EXPECT_THAT(of(operation::populate, ENOMEM), HasSubstr("--memory=" + needed));
    setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1);
    EXPECT_THAT(of(operation::populate, ENOMEM), HasSubstr("resources.limits.memory"));
}

TEST_F(remedy, of_a_short_pool_of_huge_pages_counts_what_is_usable) {
    const std::string directory = "/sys/kernel/mm/hugepages/hugepages-2048kB/";
    machine.serve(directory + "nr_hugepages", "10\n");
    machine.serve(directory + "free_hugepages", "3\n");
    machine.serve(directory + "resv_hugepages", "1\n");
    machine.serve("/proc/meminfo", "Hugepagesize:       2048 kB\n");
    EXPECT_THAT(of(operation::reserve, ENOMEM, 16_MiB, 2_MiB),
                HasSubstr("\"sysctl vm.nr_hugepages=16\""));
    EXPECT_THAT(of(operation::reserve, ENOMEM, 16_MiB, 2_MiB),
                HasSubstr("2 of 10 are usable, 8 needed"));
    EXPECT_THAT(of(operation::reserve, ENOMEM, 2048_MiB, 1024_MiB),
                HasSubstr("\"echo 2 > /sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages"));
}

TEST_F(remedy, of_ram_says_how_much_would_do) {
    machine.set_memory_limit(~std::uint64_t{0}, ~std::uint64_t{0});
    machine.serve("/proc/meminfo", "MemAvailable: 10240 kB\n");
    EXPECT_THAT(of(operation::populate, ENOMEM), HasSubstr("at most 2 MiB (2097152 bytes)"));
}

TEST_F(remedy, of_a_missing_feature_is_the_version_that_has_it) {
    machine.serve("/proc/sys/kernel/osrelease", "5.4.0-42-generic\n");
    EXPECT_EQ(of(operation::populate, EINVAL),
              "choose options that Linux 5.4 knows, or run Linux 5.14 or a newer one");
    EXPECT_EQ(of(operation::advise, EINVAL),
              "choose options that Linux 5.4 knows, or run a newer one");
    machine.serve("/proc/sys/kernel/osrelease", "6.1.0\n");
    EXPECT_THAT(of(operation::populate, EINVAL), HasSubstr("seccomp"));
    machine.serve("/proc/sys/kernel/osrelease", "");
    EXPECT_EQ(of(operation::populate, EINVAL),
              "choose options that this kernel knows, or run Linux 5.14 or a newer one");
    EXPECT_EQ(of(operation::prepare, EINVAL),
              "choose options that this kernel knows, or run a newer one");
}

TEST_F(remedy, of_the_rest_is_the_setting_to_change) {
    EXPECT_THAT(of(operation::reserve, ENOMEM), HasSubstr("ulimit -v unlimited"));
    EXPECT_THAT(of(operation::make_accessible, ENOMEM), HasSubstr("vm.overcommit_memory=0"));
    EXPECT_THAT(of(operation::bind_to_node, EPERM), HasSubstr("--cap-add=SYS_NICE"));
    EXPECT_THAT(of(operation::observe_faults, EACCES), HasSubstr("perf_event_paranoid"));
    EXPECT_THAT(of(operation::observe_faults, EMFILE), HasSubstr("ulimit -n"));
    EXPECT_THAT(of(operation::start_thread, EAGAIN), HasSubstr("ulimit -u"));
    EXPECT_THAT(of(operation::read_system_file, EACCES), HasSubstr("PR_SET_DUMPABLE"));
    EXPECT_THAT(of(operation::verify, 0), HasSubstr("vm.compact_unevictable_allowed=0"));
}

} // namespace
