// Concern
//   A page_lock honours RLIMIT_MEMLOCK and memory cgroups: it takes what they leave to the byte,
//   refuses one page more with the numbers, and counts only pages that are not locked yet.
// Plan
//   In children without CAP_IPC_LOCK: limit 0, one page short, exact, soft below hard, pages locked
//   already. In a memory cgroup: refused, not killed; pages in RAM already are not charged again.
#include "resident/memory_limit.hpp"
#include "resident/page_lock.hpp"
#include "support/child.hpp"
#include "support/guarded_cgroup.hpp"
#include "support/process_state.hpp"
#include "support/touching.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace resident {
namespace {

using test::child_options;
using test::fresh_pages;
using test::page;
using test::process_state;
using test::run_in_child;
using ::testing::HasSubstr;

constexpr std::size_t length = 16;

class PageLockLimit : public ::testing::Test {
protected:
    void SetUp() override {
        // Lowering limits and dropping a capability: less than can_change_privileges() asks for.
        const auto child =
            run_in_child({.keep_ipc_lock = false, .memlock_soft = 0, .memlock_hard = 0}, [] {});
        if (child.exit_status == test::child_setup_failed)
            GTEST_SKIP() << child.output;
    }
};

TEST_F(PageLockLimit, ZeroForbidsEveryLock) {
    const auto child =
        run_in_child({.keep_ipc_lock = false, .memlock_soft = 0, .memlock_hard = 0}, [] {
            const fresh_pages pages(length);
            const auto before = process_state::now();
            const auto refused = page_lock::create(pages[0], page);
            ASSERT_FALSE(refused);
            EXPECT_EQ(refused.error().cause(), cause::not_permitted);
            EXPECT_STREQ(refused.error().details().subject.data(), "page_lock");
            EXPECT_EQ(process_state::now(), before);
        });
    EXPECT_TRUE(child.passed()) << child.output;
}

TEST_F(PageLockLimit, OnePageShortIsRefusedWithTheNumbers) {
    const auto child = run_in_child(
        {.keep_ipc_lock = false,
         .memlock_soft = (length - 1) * page,
         .memlock_hard = (length - 1) * page},
        [] {
            const fresh_pages pages(length);
            const auto before = process_state::now();
            const auto refused = page_lock::create(pages[0], pages.bytes());
            ASSERT_FALSE(refused);
            EXPECT_EQ(refused.error().cause(), cause::memlock_limit);
            EXPECT_EQ(refused.error().details().bytes_asked, pages.bytes());
            EXPECT_EQ(refused.error().details().headroom.memlock_soft_limit, (length - 1) * page);
            EXPECT_EQ(process_state::now(), before);
            EXPECT_EQ(pages.locks(), std::string(length, '-'));
        });
    EXPECT_TRUE(child.passed()) << child.output;
}

TEST_F(PageLockLimit, ExactlyTheLimitIsLocked) {
    const auto child = run_in_child(
        {.keep_ipc_lock = false, .memlock_soft = length * page, .memlock_hard = length * page}, [] {
            const fresh_pages pages(length);
            const auto lock = page_lock::create(pages[0], pages.bytes());
            ASSERT_TRUE(lock) << lock.error().what();
            EXPECT_EQ(pages.locks(), std::string(length, 'L'));
            EXPECT_EQ(read_memory_limit()->headroom(), 0U);
        });
    EXPECT_TRUE(child.passed()) << child.output;
}

TEST_F(PageLockLimit, TheSoftLimitIsRaisedTowardsTheHardOne) {
    const auto child = run_in_child(
        {.keep_ipc_lock = false, .memlock_soft = page, .memlock_hard = 2 * length * page}, [] {
            const fresh_pages pages(length);
            const auto lock = page_lock::create(pages[0], pages.bytes());
            ASSERT_TRUE(lock) << lock.error().what();
            const auto limit = read_memory_limit();
            EXPECT_GE(limit->soft, length * page);
            EXPECT_LE(limit->soft, 2 * length * page);
        });
    EXPECT_TRUE(child.passed()) << child.output;
}

TEST_F(PageLockLimit, PagesLockedAlreadyAreNotCountedAgain) {
    const auto child = run_in_child(
        {.keep_ipc_lock = false, .memlock_soft = length * page, .memlock_hard = length * page}, [] {
            const fresh_pages pages(length + 1);
            const auto first = page_lock::create(pages[0], (length - 1) * page);
            ASSERT_TRUE(first) << first.error().what();
            const auto again = page_lock::create(pages[0], (length - 1) * page);
            EXPECT_TRUE(again) << again.error().what();
            const auto one_more = page_lock::create(pages[1], (length - 1) * page);
            EXPECT_TRUE(one_more) << one_more.error().what();
            const auto two_more = page_lock::create(pages[2], (length - 1) * page);
            ASSERT_FALSE(two_more);
            EXPECT_EQ(two_more.error().cause(), cause::memlock_limit);
            EXPECT_EQ(pages.locks(), std::string(length, 'L') + '-');
        });
    EXPECT_TRUE(child.passed()) << child.output;
}

// ---------------------------------------------------------------- Memory cgroups

class SerialPageLockCgroup : public ::testing::Test {
protected:
    void SetUp() override {
        std::string reason;
        cgroup_ = test::guarded_cgroup::create("resident_page_lock", 128U << 20U, reason);
        if (!cgroup_)
            GTEST_SKIP() << reason;
    }
    std::unique_ptr<test::guarded_cgroup> cgroup_;
};

TEST_F(SerialPageLockCgroup, RefusesWhatItCannotHoldAndIsNotMetWithTheKiller) {
    const auto child = run_in_child({.cgroup = cgroup_->get()}, [] {
        const fresh_pages pages((192U << 20U) / page);
        const auto before = process_state::now();
        const auto refused = page_lock::create(pages[0], pages.bytes());
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().cause(), cause::memory_cgroup);
        EXPECT_EQ(process_state::now(), before);
    });
    EXPECT_TRUE(child.passed()) << child.output << " signal " << child.signal;
}

TEST_F(SerialPageLockCgroup, DoesNotChargeAgainWhatIsInRamAlready) {
    const auto child = run_in_child({.cgroup = cgroup_->get()}, [] {
        const fresh_pages pages((80U << 20U) / page);
        (void)test::write_faults(pages[0], pages.bytes()); // 48 MiB are left of the cgroup now
        const auto lock = page_lock::create(pages[0], pages.bytes());
        EXPECT_TRUE(lock) << lock.error().what();
    });
    EXPECT_TRUE(child.passed()) << child.output << " signal " << child.signal;
}

} // namespace
} // namespace resident
