// Concerns: the cause named is the true one, by operation, errno and limits; the text has every
// number and ends with the remedy; it is never cut in the remedy; copying allocates nothing.
// Plan: make_error on a fake machine, a case for each cause; then the text as a whole.
#include "os/headroom.hpp"
#include "resident/error.hpp"
#include "resident/size_literals.hpp"
#include "support/build.hpp"
#include "support/fake_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <type_traits>

namespace {

using namespace resident;
using namespace resident::literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

class make_error : public ::testing::Test {
protected:
    error make(operation failed, int error_number, std::size_t bytes = 16_MiB,
               std::size_t huge_page_size = 0) {
        const os::kernel_replacement replacement(machine);
        return os::make_error(failed, error_number, bytes, "arena", huge_page_size);
    }
    cause cause_of(operation failed, int error_number, std::size_t bytes = 16_MiB,
                   std::size_t huge_page_size = 0) {
        return make(failed, error_number, bytes, huge_page_size).cause();
    }
    test::fake_machine machine;
};

TEST_F(make_error, lock_enomem_is_the_limit_only_if_the_limit_is_too_low) {
    machine.set_memory_limit(8_MiB, 8_MiB);
    EXPECT_EQ(cause_of(operation::lock, ENOMEM), cause::memlock_limit);
    EXPECT_EQ(cause_of(operation::lock, EAGAIN), cause::memlock_limit);
    EXPECT_EQ(cause_of(operation::lock, ENOMEM, 8_MiB), cause::invalid_argument) << "a hole";
    machine.serve("/proc/self/status", "VmLck: 1 kB\n");
    EXPECT_EQ(cause_of(operation::lock, ENOMEM, 8_MiB), cause::memlock_limit);
    machine.set_capabilities(test::ipc_lock);
    EXPECT_EQ(cause_of(operation::lock, ENOMEM), cause::invalid_argument);
}

TEST_F(make_error, lock_eperm_is_a_limit_of_zero_or_a_policy) {
    EXPECT_EQ(cause_of(operation::lock, EPERM), cause::not_permitted);
    EXPECT_THAT(make(operation::lock, EPERM).what(), HasSubstr("seccomp"));
    machine.set_memory_limit(0, 0);
    EXPECT_EQ(cause_of(operation::lock, EPERM), cause::not_permitted);
    EXPECT_THAT(make(operation::lock, EPERM).what(), HasSubstr("RLIMIT_MEMLOCK is 0"));
}

TEST_F(make_error, lock_enomem_may_be_the_number_of_mappings) {
    machine.serve("/proc/sys/vm/max_map_count", "3\n");
    machine.serve("/proc/self/maps", "1000-2000 r--p\n2000-3000 rw-p\n");
    EXPECT_EQ(cause_of(operation::lock, ENOMEM), cause::mapping_count);
    EXPECT_EQ(cause_of(operation::make_accessible, ENOMEM), cause::mapping_count);
    EXPECT_EQ(cause_of(operation::reserve, ENOMEM), cause::mapping_count);
    EXPECT_EQ(cause_of(operation::unlock, ENOMEM), cause::mapping_count);
    EXPECT_THAT(make(operation::lock, ENOMEM).remedy(), HasSubstr("vm.max_map_count=6"));
}

TEST_F(make_error, lock_of_everything_asks_for_the_whole_address_space) {
    machine.set_memory_limit(8_MiB, 8_MiB);
    machine.serve("/proc/self/status", "VmSize: 20480 kB\n");
    const error failure = make(operation::lock, ENOMEM, 0);
    EXPECT_EQ(failure.details().bytes_asked, 20_MiB);
    EXPECT_EQ(failure.cause(), cause::memlock_limit);
}

TEST_F(make_error, a_full_cgroup_or_machine_is_told) {
    machine.serve("/proc/meminfo", "MemAvailable: 1024 kB\n");
    EXPECT_EQ(cause_of(operation::lock, EAGAIN), cause::physical_memory);
    EXPECT_EQ(cause_of(operation::populate, EFAULT), cause::physical_memory);
    machine.serve("/proc/self/cgroup", "0::/x\n");
    machine.serve("/proc/self/mountinfo", "36 31 0:32 / /cg rw - cgroup2 c rw\n");
    machine.serve("/cg/x/memory.max", "1048576\n");
    EXPECT_EQ(cause_of(operation::lock, EAGAIN), cause::memory_cgroup);
    EXPECT_EQ(cause_of(operation::populate, ENOMEM), cause::memory_cgroup);
    EXPECT_EQ(cause_of(operation::start_thread, ENOMEM), cause::memory_cgroup);
}

TEST_F(make_error, reserve) {
    EXPECT_EQ(cause_of(operation::reserve, ENOMEM), cause::address_space);
    EXPECT_EQ(cause_of(operation::reserve, ENOMEM, 4_MiB, 2_MiB), cause::huge_pages);
    EXPECT_EQ(cause_of(operation::reserve, EINVAL, 4_MiB, 2_MiB), cause::unsupported);
    EXPECT_EQ(cause_of(operation::reserve, EINVAL), cause::invalid_argument);
    EXPECT_EQ(cause_of(operation::reserve, ENODEV), cause::unsupported);
    EXPECT_EQ(cause_of(operation::reserve, EPERM), cause::not_permitted);
    EXPECT_EQ(cause_of(operation::reserve, EMFILE), cause::system);
    machine.set_memory_limit(8_MiB, 8_MiB);
    EXPECT_EQ(cause_of(operation::reserve, EAGAIN), cause::memlock_limit) << "MCL_FUTURE";
    machine.serve("/proc/sys/vm/overcommit_memory", "2\n");
    machine.serve("/proc/meminfo", "CommitLimit: 1024 kB\nCommitted_AS: 512 kB\n");
    EXPECT_EQ(cause_of(operation::reserve, ENOMEM), cause::overcommit);
    EXPECT_THAT(make(operation::reserve, ENOMEM).what(), HasSubstr("512 KiB are promised"));
}

TEST_F(make_error, make_accessible) {
    EXPECT_EQ(cause_of(operation::make_accessible, ENOMEM), cause::overcommit);
    EXPECT_EQ(cause_of(operation::make_accessible, EACCES), cause::not_permitted);
    machine.set_memory_limit(8_MiB, 8_MiB);
    EXPECT_EQ(cause_of(operation::make_accessible, EAGAIN), cause::memlock_limit);
}

/// Serves one more limit than RLIMIT_MEMLOCK.
class limited_machine : public test::fake_machine {
public:
    int resource = -1;
    os::outcome get_limit(int which, rlimit& limit) noexcept override {
        if (which != resource)
            return fake_machine::get_limit(which, limit);
        limit = {10_MiB, 10_MiB};
        return os::outcome::success();
    }
};

TEST(make_error_limits, address_space_and_data) {
    limited_machine machine;
    machine.serve("/proc/self/status", "VmSize: 1024 kB\nVmData: 1024 kB\n");
    const os::kernel_replacement replacement(machine);
    machine.resource = RLIMIT_AS;
    const error space = os::make_error(operation::reserve, ENOMEM, 16_MiB, "arena");
    EXPECT_EQ(space.cause(), cause::address_space);
    EXPECT_THAT(space.what(), HasSubstr("RLIMIT_AS is 10 MiB, and 1 MiB are mapped already"));
    machine.resource = RLIMIT_DATA;
    const error data = os::make_error(operation::make_accessible, ENOMEM, 16_MiB, "arena");
    EXPECT_EQ(data.cause(), cause::address_space);
    EXPECT_THAT(data.what(), HasSubstr("RLIMIT_DATA is 10 MiB"));
}

TEST_F(make_error, populate_and_advise) {
    EXPECT_EQ(cause_of(operation::populate, EINVAL), cause::unsupported);
    EXPECT_EQ(cause_of(operation::populate, EFAULT, 4_MiB, 2_MiB), cause::huge_pages);
    EXPECT_EQ(cause_of(operation::populate, EFAULT), cause::physical_memory);
    EXPECT_EQ(cause_of(operation::populate, EHWPOISON), cause::physical_memory);
    EXPECT_EQ(cause_of(operation::populate, EIO), cause::system);
    EXPECT_EQ(cause_of(operation::advise, EINVAL), cause::unsupported);
    EXPECT_EQ(cause_of(operation::advise, ENOMEM), cause::invalid_argument);
}

TEST_F(make_error, other_operations) {
    EXPECT_EQ(cause_of(operation::bind_to_node, EINVAL), cause::invalid_argument);
    EXPECT_EQ(cause_of(operation::bind_to_node, EPERM), cause::not_permitted);
    EXPECT_EQ(cause_of(operation::set_limit, EPERM), cause::not_permitted);
    EXPECT_EQ(cause_of(operation::set_limit, EINVAL), cause::invalid_argument);
    EXPECT_EQ(cause_of(operation::observe_faults, EACCES), cause::not_permitted);
    EXPECT_EQ(cause_of(operation::observe_faults, ENOENT), cause::unsupported);
    EXPECT_EQ(cause_of(operation::observe_faults, EMFILE), cause::system);
    EXPECT_EQ(cause_of(operation::start_thread, EAGAIN), cause::system);
    EXPECT_EQ(cause_of(operation::start_thread, ENOMEM), cause::physical_memory);
    EXPECT_EQ(cause_of(operation::read_system_file, EACCES), cause::not_permitted);
    EXPECT_EQ(cause_of(operation::read_system_file, ENOENT), cause::unsupported);
    EXPECT_EQ(cause_of(operation::prepare, EPERM), cause::not_permitted);
    EXPECT_EQ(cause_of(operation::prepare, EINVAL), cause::unsupported);
    EXPECT_EQ(cause_of(operation::unlock, ENOMEM), cause::invalid_argument);
    EXPECT_EQ(cause_of(operation::verify, 0), cause::not_resident);
    EXPECT_EQ(cause_of(operation::check_options, 0), cause::invalid_argument);
    EXPECT_EQ(cause_of(operation::check_headroom, EIO), cause::system);
    EXPECT_EQ(cause_of(operation::lock, EINVAL), cause::invalid_argument);
    EXPECT_EQ(cause_of(operation::lock, EIO), cause::system);
}

TEST_F(make_error, a_missing_feature_is_named_with_the_version_that_has_it) {
    machine.serve("/proc/sys/kernel/osrelease", "5.4.0-42-generic\n");
    EXPECT_THAT(make(operation::populate, EINVAL).what(),
                HasSubstr(": this is Linux 5.4; MADV_POPULATE_WRITE needs Linux 5.14 [EINVAL"));
    EXPECT_THAT(make(operation::observe_faults, EINVAL).what(),
                HasSubstr("this is Linux 5.4; a perf event with sigtrap needs Linux 5.13"));
    EXPECT_THAT(make(operation::lock, ENOSYS).what(),
                HasSubstr("Linux 5.4 has mlock2 and yet refuses it"));
    machine.serve("/proc/sys/kernel/osrelease", "4.3.0\n");
    EXPECT_THAT(make(operation::lock, ENOSYS).what(),
                HasSubstr("this is Linux 4.3; mlock2 needs Linux 4.4"));
    machine.serve("/proc/sys/kernel/osrelease", "");
    EXPECT_THAT(make(operation::populate, EINVAL).what(),
                HasSubstr(": MADV_POPULATE_WRITE needs Linux 5.14"));
    EXPECT_EQ(make(operation::populate, EINVAL).cause(), cause::unsupported);
    EXPECT_EQ(make(operation::observe_faults, EINVAL).cause(), cause::unsupported);
}

TEST_F(make_error, a_missing_call_is_unsupported_whatever_the_operation) {
    for (int each = 0; each <= static_cast<int>(operation::observe_faults); ++each) {
        EXPECT_EQ(cause_of(static_cast<operation>(each), ENOSYS), cause::unsupported);
    }
}

TEST_F(make_error, the_text_has_every_number_and_ends_with_the_remedy) {
    machine.set_memory_limit(8_MiB, 8_MiB);
    machine.serve("/proc/self/status", "VmLck: 4096 kB\nUid:\t1000\t1000\t1000\t1000\n");
    machine.serve("/proc/meminfo", "MemAvailable: 2097152 kB\n");
    machine.serve("/proc/self/cgroup", "0::/x\n");
    machine.serve("/proc/self/mountinfo", "36 31 0:32 / /cg rw - cgroup2 c rw\n");
    machine.serve("/cg/x/memory.max", "1073741824\n");
    machine.serve("/cg/x/memory.current", "1048576\n");
    machine.serve("/etc/passwd", "root:x:0:0::/:\nada:x:1000:1000::/:\n");
    EXPECT_STREQ(
        make(operation::lock, ENOMEM).what(),
        "resident: cannot lock 16 MiB (16777216 bytes) for arena: 16 MiB to lock, but "
        "RLIMIT_MEMLOCK leaves 4 MiB (soft limit 8 MiB, already locked 4 MiB) "
        "[ENOMEM: Cannot allocate memory]. RLIMIT_MEMLOCK: soft 8 MiB (8388608 bytes), hard 8 MiB "
        "(8388608 bytes), already locked 4 MiB (4194304 bytes), CAP_IPC_LOCK not effective. Memory "
        "cgroup /x: limit 1 GiB, usage 1 MiB. RAM available: 2 GiB. Remedy: put the line \"ada - "
        "memlock 20480\" (for a group: \"@realtime - memlock 20480\") into "
        "/etc/security/limits.d/99-realtime.conf and log in again.");
}

TEST(error, an_unknown_errno_is_given_as_a_number) {
    error_details details{.error_number = 4242};
    EXPECT_THAT(error(details).what(), HasSubstr("[errno 4242]"));
    details.error_number = 0;
    EXPECT_THAT(error(details).what(), Not(HasSubstr("[")));
}

TEST(error, text_of_every_operation_and_cause_ends_with_its_remedy) {
    for (int failed = 0; failed <= static_cast<int>(operation::observe_faults); ++failed) {
        for (int why = 0; why <= static_cast<int>(cause::system); ++why) {
            const error failure({.operation = static_cast<operation>(failed),
                                 .cause = static_cast<cause>(why),
                                 .bytes_asked = 1});
            ASSERT_STRNE(failure.remedy(), "");
            EXPECT_THAT(failure.what(), EndsWith(std::string(failure.remedy()) + "."));
        }
    }
}

TEST(error, the_longest_text_is_cut_before_its_remedy) {
    error_details details{.cause = cause::memory_cgroup, .bytes_asked = unlimited - 1};
    details.subject.fill('s');
    details.subject.back() = '\0';
    details.reason.fill('r');
    details.reason.back() = '\0';
    details.headroom.strict_overcommit = true;
    details.headroom.memlock_soft_limit = unlimited - 1;
    details.headroom.memlock_hard_limit = unlimited - 1;
    details.headroom.cgroup_count = 8;
    for (memory_cgroup_level& level : details.headroom.cgroups) {
        level.path.fill('p');
        level.path.back() = '\0';
        level.limit = unlimited - 1;
        level.usage = unlimited - 1;
    }
    const error failure(details);
    EXPECT_LT(std::strlen(failure.what()), 2560U);
    EXPECT_THAT(failure.what(), EndsWith(std::string(failure.remedy()) + "."));
}

TEST(error, names_have_their_enumerators) {
    EXPECT_STREQ(to_string(operation::make_accessible), "make_accessible");
    EXPECT_STREQ(to_string(cause::memory_cgroup), "memory_cgroup");
    EXPECT_STREQ(to_string(static_cast<operation>(200)), "operation");
    EXPECT_STREQ(to_string(static_cast<cause>(200)), "cause");
    static_assert(std::is_nothrow_copy_constructible_v<error>);
}

TEST(make_argument_error, says_the_value_and_the_bound) {
    const error failure = os::make_argument_error("arena", "capacity %d exceeds %d", 7, 5);
    EXPECT_EQ(failure.cause(), cause::invalid_argument);
    EXPECT_STREQ(failure.what(), "resident: invalid request for arena: capacity 7 exceeds 5. "
                                 "Remedy: correct the call as the reason says.");
}

TEST(raise, throws_or_prints_and_aborts) {
    const error failure = os::make_argument_error("arena", "no");
#ifdef __cpp_exceptions
    try {
        os::raise(failure);
        FAIL() << "raise returned";
    } catch (const error& caught) {
        EXPECT_STREQ(caught.what(), failure.what());
    }
#else
    EXPECT_DEATH(os::raise(failure), "invalid request for arena: no");
#endif
}

} // namespace
