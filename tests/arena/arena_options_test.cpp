// Concerns: bad options are refused with an error that names the value, the bound and the remedy,
// before anything is mapped; good ones are taken as documented.
// Plan: one row a bad option; sizes beyond RAM and address space; lock policies.

#include <resident/resident.hpp>

#include "os/kernel.hpp"
#include "support/child.hpp"
#include "support/fake_files_kernel.hpp"
#include "support/process_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace resident {
namespace {

using namespace resident::literals;
using testing::HasSubstr;

struct bad_options {
    arena_options options;
    const char* names;
};

TEST(arena_options, each_bad_value_is_named) {
    const bad_options table[] = {
        {{.capacity = 0}, "capacity is 0 bytes"},
        {{.capacity = 5000},
         "capacity is 5000 bytes, not a multiple of 4096 bytes; the next multiple is 8192"},
        {{.capacity = 1_MiB, .max_capacity = 1_MiB + 1},
         "max_capacity is 1048577 bytes, not a multiple"},
        {{.capacity = 2_MiB, .max_capacity = 1_MiB},
         "max_capacity is 1048576 bytes, less than capacity, 2097152 bytes"},
        {{.capacity = 3_MiB, .pages = page_kind::huge_2M},
         "capacity is 3145728 bytes, not a multiple of 2097152"},
        {{.capacity = 2_MiB, .pages = page_kind::huge_1G}, "not a multiple of 1073741824"},
        {{.capacity = ~std::size_t{0} & ~std::size_t{4095}}, "an arena holds at most"},
        {{.capacity = ~std::size_t{0}},
         "capacity is 18446744073709551615 bytes; an arena holds at most 4398046507008 bytes"},
        {{.capacity = 1_MiB, .core_dump = static_cast<core_dump_policy>(77)},
         "outside its enumeration"},
        {{.capacity = 2_MiB, .pages = page_kind::huge_2M, .on_fork = fork_policy::inherit},
         "fork_policy::inherit does not work on reserved huge pages (huge_2M); exclude does"},
        {{.capacity = 1_MiB,
          .growth = {.keep_free = 1, .poll_interval = std::chrono::milliseconds::max()}},
         "it must be 1 ms to 3600000 ms (an hour)"},
        {{.capacity = 1_MiB, .max_capacity = 8192_GiB}, "an arena holds at most"},
        {{.capacity = 2_MiB, .pages = page_kind::huge_2M, .on_fork = fork_policy::wipe},
         "fork_policy::wipe does not work on reserved huge pages (huge_2M)"},
        {{.capacity = 1_MiB, .numa_node = -2}, "numa_node is -2"},
        {{.capacity = 1_MiB, .numa_node = 1024}, "numa_node is 1024"},
        {{.capacity = 1_MiB,
          .growth = {.keep_free = 1, .poll_interval = std::chrono::milliseconds{0}}},
         "growth.poll_interval is 0 ms"},
        {{.capacity = 1_MiB, .pages = static_cast<page_kind>(9)}, "outside its enumeration"},
    };
    const auto before = test::process_state::now();
    for (const bad_options& each : table) {
        SCOPED_TRACE(each.names);
        const auto made = arena::create(each.options);
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().cause(), cause::invalid_argument);
        EXPECT_EQ(made.error().operation(), operation::check_options);
        EXPECT_EQ(made.error().error_number(), 0);
        EXPECT_THAT(made.error().what(), HasSubstr(each.names));
        EXPECT_STRNE(made.error().remedy(), "");
    }
    EXPECT_EQ(test::process_state::now(), before);
}

TEST(arena_options, more_than_the_machine_has_is_refused_before_any_page_is_taken) {
    const auto before = test::process_state::now();
    const auto made = arena::create({.capacity = 4000_GiB, .name = "too large"});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().operation(), operation::check_headroom);
    EXPECT_THAT(made.error().what(), HasSubstr("too large"));
    EXPECT_GE(made.error().details().bytes_asked, 4000_GiB);
    EXPECT_EQ(test::process_state::now(), before);
}

TEST(arena_options, memory_that_others_take_meanwhile_is_noticed_at_the_next_step) {
    { const arena first; } // the registry of locked pages keeps the memory of its first use
    const auto before = test::process_state::now();
    test::fake_files_kernel kernel;
    kernel.serve("/proc/meminfo", "MemAvailable:   1048576 kB\n");
    const os::kernel_replacement in_force(kernel);
    std::size_t populated = 0;
    const auto made = arena::create(
        {.capacity = 8_MiB, .pages = page_kind::base, .progress = [&](const arena_progress& now) {
             populated = now.populated;
             if (populated == 4_MiB)
                 kernel.serve("/proc/meminfo", "MemAvailable: 9000 kB\n");
         }});
    ASSERT_FALSE(made);
    EXPECT_STREQ(to_string(made.error().cause()), "physical_memory");
    EXPECT_EQ(populated, 4_MiB); // and not a step further
    EXPECT_EQ(test::process_state::now(), before);
}

TEST(arena_options, a_node_that_does_not_exist_is_an_error_and_the_local_one_is_not) {
    EXPECT_TRUE(arena::create({.capacity = 1_MiB, .numa_node = 0}));
    const auto before = test::process_state::now();
    const auto made = arena::create({.capacity = 1_MiB, .numa_node = 777});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().operation(), operation::bind_to_node);
    EXPECT_EQ(test::process_state::now(), before);
}

TEST(arena_options, a_name_may_be_anything) {
    const std::string long_name(500, 'x');
    EXPECT_EQ(arena({.capacity = 4_KiB, .name = long_name.c_str()}).name(),
              long_name.substr(0, 63));
    EXPECT_STREQ(arena({.capacity = 4_KiB, .name = nullptr}).name(), "");
    EXPECT_STREQ(arena({.capacity = 4_KiB, .name = "[$\\`]%s"}).name(), "[$\\`]%s");
}

TEST(arena_options, memlock_needed_is_0_without_locking) {
    EXPECT_EQ(arena::memlock_needed({.lock = lock_policy::off}), 0u);
}

TEST(arena_options, off_populates_and_locks_nothing) {
    const std::size_t before = test::vm_locked_bytes();
    const arena memory{{.capacity = 2_MiB, .pages = page_kind::base, .lock = lock_policy::off}};
    EXPECT_EQ(test::vm_locked_bytes(), before);
    EXPECT_FALSE(memory.locked());
    EXPECT_EQ(memory.statistics().locked, 0u);
    const auto proof = memory.verify();
    ASSERT_TRUE(proof);
    EXPECT_TRUE(proof->resident);
    EXPECT_EQ(proof->locked, 0u);
}

TEST(arena_options, best_effort_degrades_and_says_why) {
    if (!test::can_change_privileges())
        GTEST_SKIP() << "needs root, to drop CAP_IPC_LOCK";
    const auto child = test::run_in_child(
        {.keep_ipc_lock = false, .memlock_soft = 1_MiB, .memlock_hard = 1_MiB}, [] {
            const arena memory{
                {.capacity = 2_MiB, .pages = page_kind::base, .lock = lock_policy::best_effort}};
            EXPECT_FALSE(memory.locked());
            ASSERT_NE(memory.degradation(), nullptr);
            EXPECT_EQ(memory.degradation()->cause(), cause::memlock_limit);
            EXPECT_EQ(test::vm_locked_bytes(), 0u);
            const arena fitting{{.capacity = 512_KiB, .lock = lock_policy::best_effort}};
            EXPECT_TRUE(fitting.locked());
            EXPECT_EQ(fitting.degradation(), nullptr);
        });
    EXPECT_TRUE(child.passed()) << child.output;
}

#if defined(__cpp_exceptions)
TEST(arena_options, the_constructor_throws_the_error_that_create_returns) {
    try {
        const arena memory{{.capacity = 5000}};
        FAIL() << "made";
    } catch (const error& failure) {
        EXPECT_EQ(failure.cause(), cause::invalid_argument);
    }
}
#endif

} // namespace
} // namespace resident
