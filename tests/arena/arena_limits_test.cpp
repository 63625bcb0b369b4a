// Concerns: under real limits an arena stands or is refused with the documented error; it is never
// met with a signal, and never leaves anything locked.
// Plan: child processes without CAP_IPC_LOCK under real RLIMIT_MEMLOCK values around the exact
// need; a real memory cgroup smaller than the arena; MCL_FUTURE with a finite limit.

#include <resident/resident.hpp>

#include "os/kernel.hpp"
#include "os/kernel_constants.hpp"
#include "support/build.hpp"
#include "support/child.hpp"
#include "support/guarded_cgroup.hpp"
#include "support/process_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include <unistd.h>

namespace resident {
namespace {

using namespace resident::literals;
using testing::HasSubstr;

const arena_options two_mebibytes{.capacity = 2_MiB, .pages = page_kind::base, .name = "limited"};

class arena_limits : public testing::Test {
protected:
    void SetUp() override {
        if (!test::can_change_privileges())
            GTEST_SKIP() << "needs root, to drop CAP_IPC_LOCK and set limits in child processes";
    }
    static void in_child(test::child_options options, const std::function<void()>& body) {
        options.keep_ipc_lock = false;
        const auto child = test::run_in_child(options, body);
        EXPECT_TRUE(child.passed())
            << "signal " << child.signal << ", status " << child.exit_status << '\n'
            << child.output;
    }
};

void expect_refused(cause why, const char* text) {
    const auto before = test::process_state::now();
    const auto made = arena::create(two_mebibytes);
    ASSERT_FALSE(made);
    EXPECT_STREQ(to_string(made.error().cause()), to_string(why));
    EXPECT_THAT(made.error().what(), HasSubstr("limited"));
    EXPECT_THAT(made.error().what(), HasSubstr(text));
    EXPECT_EQ(test::process_state::now(), before);
    EXPECT_EQ(test::vm_locked_bytes(), 0u);
}

TEST_F(arena_limits, nothing_may_be_locked) {
    in_child({.memlock_soft = 0, .memlock_hard = 0},
             [] { expect_refused(cause::not_permitted, "memlock"); });
}

TEST_F(arena_limits, one_page_short) {
    const std::size_t need = arena::memlock_needed(two_mebibytes);
    in_child({.memlock_soft = need - 4_KiB, .memlock_hard = need - 4_KiB}, [need] {
        expect_refused(cause::memlock_limit, "memlock");
        const auto made = arena::create(two_mebibytes);
        const headroom_snapshot& seen = made.error().details().headroom;
        EXPECT_EQ(seen.memlock_soft_limit, need - 4_KiB);
        EXPECT_EQ(seen.memlock_hard_limit, need - 4_KiB);
        EXPECT_FALSE(seen.can_exceed_memlock);
        EXPECT_EQ(made.error().details().bytes_asked, need);
    });
}

TEST_F(arena_limits, exactly_enough) {
    const std::size_t need = arena::memlock_needed(two_mebibytes);
    in_child({.memlock_soft = need, .memlock_hard = need}, [need] {
        const arena memory{two_mebibytes};
        EXPECT_TRUE(memory.verify()->resident);
        EXPECT_EQ(test::vm_locked_bytes(), need);
        EXPECT_FALSE(arena::create({.capacity = 4_KiB}));
    });
}

TEST_F(arena_limits, a_soft_limit_is_raised_as_far_as_the_hard_one) {
    const std::size_t need = arena::memlock_needed(two_mebibytes);
    in_child({.memlock_soft = 64_KiB, .memlock_hard = need}, [] {
        const arena memory{two_mebibytes};
        EXPECT_TRUE(memory.verify()->resident);
    });
    in_child({.memlock_soft = 64_KiB, .memlock_hard = need - 4_KiB},
             [] { expect_refused(cause::memlock_limit, "memlock"); });
}

TEST_F(arena_limits, growth_past_the_limit_is_refused_and_the_arena_stays) {
    const std::size_t need = arena::memlock_needed(two_mebibytes);
    in_child({.memlock_soft = need + 1_MiB, .memlock_hard = need + 1_MiB}, [] {
        arena memory{{.capacity = 2_MiB, .max_capacity = 16_MiB, .pages = page_kind::base}};
        const auto before = test::process_state::now();
        const auto grown = memory.try_grow(2_MiB);
        ASSERT_FALSE(grown);
        EXPECT_EQ(grown.error().cause(), cause::memlock_limit);
        EXPECT_EQ(test::process_state::now(), before);
        EXPECT_EQ(memory.statistics().growth_failures, 1u);
        EXPECT_EQ(memory.statistics().capacity, 2_MiB);
        EXPECT_TRUE(memory.verify()->resident);
    });
}

TEST_F(arena_limits, an_ordinary_user_with_8_MiB_gets_the_default_arena) {
    in_child({.uid = 65534, .memlock_soft = 8_MiB, .memlock_hard = 8_MiB}, [] {
        ASSERT_NE(geteuid(), 0u);
        const arena memory;
        EXPECT_TRUE(memory.verify()->resident);
    });
}

TEST_F(arena_limits, under_MCL_FUTURE_the_reservation_is_not_charged) {
    if (test::sanitized)
        GTEST_SKIP() << "MCL_FUTURE locks and populates the sanitizer's own mappings";
    // 8 MiB may be locked; 1 GiB is reserved. The kernel refuses that at once (EAGAIN), so the
    // reservation must come in steps, each taken off the account.
    in_child({.memlock_soft = 8_MiB, .memlock_hard = 8_MiB}, [] {
        ASSERT_TRUE(os::system().lock_all(os::lock_all_future));
        const std::size_t before = test::vm_locked_bytes();
        const arena_options options{
            .capacity = 2_MiB, .max_capacity = 1_GiB, .pages = page_kind::base};
        arena memory{options};
        // malloc may have mapped something meanwhile, which MCL_FUTURE locks: less than a step.
        EXPECT_GE(test::vm_locked_bytes() - before, arena::memlock_needed(options));
        EXPECT_LT(test::vm_locked_bytes() - before, arena::memlock_needed(options) + 2_MiB);
        EXPECT_TRUE(memory.verify()->resident);
        EXPECT_EQ(memory.grow(2_MiB), 2_MiB);
        EXPECT_TRUE(memory.verify()->resident);
    });
}

TEST_F(arena_limits, under_MCL_FUTURE_as_root_the_reservation_is_not_populated) {
    if (test::sanitized)
        GTEST_SKIP() << "MCL_FUTURE locks and populates the sanitizer's own mappings";
    const auto child = test::run_in_child({}, [] {
        ASSERT_TRUE(os::system().lock_all(os::lock_all_future));
        const std::size_t before = test::vm_locked_bytes();
        const arena memory{{.capacity = 2_MiB, .max_capacity = 64_GiB}};
        EXPECT_LT(test::vm_locked_bytes() - before, 16_MiB);
        EXPECT_TRUE(memory.verify()->resident);
    });
    EXPECT_TRUE(child.passed()) << child.output;
}

class Serial_arena_cgroup : public arena_limits {};

TEST_F(Serial_arena_cgroup, smaller_than_the_arena_refuses_and_kills_nobody) {
    std::string reason;
    const auto group =
        test::guarded_cgroup::create("resident-test", test::sanitized ? 256_MiB : 64_MiB, reason);
    if (!group)
        GTEST_SKIP() << reason;
    const auto child = test::run_in_child({.cgroup = group->get()}, [] {
        constexpr std::size_t capacity = test::sanitized ? 320_MiB : 80_MiB;
        const auto before = test::process_state::now();
        const auto made =
            arena::create({.capacity = capacity, .pages = page_kind::base, .name = "caged"});
        ASSERT_FALSE(made);
        EXPECT_STREQ(to_string(made.error().cause()), "memory_cgroup");
        EXPECT_THAT(made.error().what(), HasSubstr("resident-test-"));
        EXPECT_THAT(made.error().what(), HasSubstr("caged"));
        EXPECT_EQ(test::process_state::now(), before);
        // What fits is had; growth past the limit is refused in the same way.
        arena memory{{.capacity = 2_MiB, .max_capacity = capacity, .pages = page_kind::base}};
        const auto grown = memory.try_grow(capacity);
        ASSERT_FALSE(grown);
        EXPECT_STREQ(to_string(grown.error().cause()), "memory_cgroup");
        EXPECT_EQ(memory.statistics().capacity, 2_MiB);
        EXPECT_TRUE(memory.verify()->resident);
    });
    EXPECT_TRUE(child.passed()) << "signal " << child.signal << '\n' << child.output;
}

} // namespace
} // namespace resident
