// Concern
//   What parent and child see of locked memory when a process is made, as docs/fork-and-exec.md
//   tells it: each row of its tables is a test here.
// Plan
//   For page_lock and for an arena of each fork policy: the parent's faults when it writes to its
//   pages after fork, vfork, posix_spawn and system; what a forked child finds; that exec drops
//   all.
#include "os/lock_registry.hpp"
#include "resident/arena.hpp"
#include "resident/page_lock.hpp"
#include "support/build.hpp"
#include "support/child.hpp"
#include "support/process_state.hpp"
#include "support/touching.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace resident {
namespace {

using test::fresh_pages;
using test::page;
using test::run_in_child;
using test::vm_locked_bytes;

constexpr std::size_t count = 64;

void wait_for(pid_t child) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
}

void by_fork() {
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(0);
    wait_for(child);
}

void by_vfork() {
    const pid_t child = ::vfork();
    if (child == 0)
        ::_exit(0);
    wait_for(child);
}

void by_posix_spawn() {
    pid_t child = 0;
    char program[] = "/bin/true";
    char* arguments[] = {program, nullptr};
    ASSERT_EQ(::posix_spawn(&child, program, nullptr, nullptr, arguments, environ), 0);
    wait_for(child);
}

void by_system() { ASSERT_EQ(std::system("true"), 0); }

/// The parent's write faults on its pages, after a child was made and has ended.
std::uint64_t faults_after(void (*make_child)(), void* memory, std::size_t bytes) {
    make_child();
    test::settle();
    return test::write_faults(memory, bytes);
}

arena_options small_arena(fork_policy policy) {
    return {.capacity = 2_MiB, .pages = page_kind::base, .on_fork = policy};
}

// ---------------------------------------------------------------- page_lock

class PageLockAndChildren : public ::testing::Test {
protected:
    void SetUp() override { ASSERT_TRUE(lock_) << lock_.error().what(); }
    fresh_pages pages_{count};
    result<page_lock> lock_ = page_lock::create(pages_[0], pages_.bytes());
};

TEST_F(PageLockAndChildren, ForkCostsTheParentOneFaultAPage) {
    EXPECT_TRUE(test::as_expected(faults_after(by_fork, pages_[0], pages_.bytes()), count));
    EXPECT_EQ(pages_.locks(), std::string(count, 'L'));
}

TEST_F(PageLockAndChildren, LockingAgainAfterForkTakesTheFaultsAtOnce) {
    by_fork();
    const auto again = page_lock::create(pages_[0], pages_.bytes());
    ASSERT_TRUE(again);
    EXPECT_TRUE(test::as_expected(test::write_faults(pages_[0], pages_.bytes()), 0U));
}

TEST_F(PageLockAndChildren, VforkPosixSpawnAndSystemCostNothing) {
    if (!test::thread_sanitized) { // its runtime makes a fork of every vfork
        EXPECT_TRUE(test::as_expected(faults_after(by_vfork, pages_[0], pages_.bytes()), 0U));
    }
    EXPECT_TRUE(test::as_expected(faults_after(by_posix_spawn, pages_[0], pages_.bytes()), 0U));
    EXPECT_TRUE(test::as_expected(faults_after(by_system, pages_[0], pages_.bytes()), 0U));
}

TEST_F(PageLockAndChildren, AForkedChildHoldsNoLockAndMayDestroyItsCopy) {
    const auto child = run_in_child({}, [this] {
        EXPECT_EQ(vm_locked_bytes(), 0U);
        EXPECT_EQ(pages_.locks(), std::string(count, '-'));
        EXPECT_FALSE(lock_->locked());
        EXPECT_EQ(os::locked_pages().owners(reinterpret_cast<std::uintptr_t>(pages_[0])), 0U);
        const auto own = page_lock::create(pages_[0], page);
        ASSERT_TRUE(own) << own.error().what();
        *lock_ = page_lock();
        EXPECT_EQ(pages_.locks()[0], 'L') << "the copy's end unlocked the child's own lock";
    });
    EXPECT_TRUE(child.passed()) << child.output;
    EXPECT_TRUE(lock_->locked());
    EXPECT_EQ(pages_.locks(), std::string(count, 'L'));
    EXPECT_EQ(os::locked_pages().owners(reinterpret_cast<std::uintptr_t>(pages_[0])), 1U);
}

TEST_F(PageLockAndChildren, AGrandchildHoldsNoLockOfItsParent) {
    const auto child = run_in_child({}, [this] {
        const auto own = page_lock::create(pages_[0], page);
        ASSERT_TRUE(own);
        const auto grandchild = run_in_child({}, [&] { EXPECT_FALSE(own->locked()); });
        EXPECT_TRUE(grandchild.passed()) << grandchild.output;
        EXPECT_TRUE(own->locked());
    });
    EXPECT_TRUE(child.passed()) << child.output;
}

TEST_F(PageLockAndChildren, ExecDropsEveryLock) {
    const auto child = run_in_child({}, [] {
        const fresh_pages pages(count);
        const auto lock = page_lock::create(pages[0], pages.bytes());
        ASSERT_TRUE(lock);
        ASSERT_EQ(vm_locked_bytes(), pages.bytes());
        ::execl("/bin/grep", "grep", "VmLck", "/proc/self/status", nullptr);
    });
    EXPECT_TRUE(child.passed()) << child.output;
    EXPECT_THAT(child.output, ::testing::ContainsRegex("VmLck:[ \t]+0 kB"));
}

// ---------------------------------------------------------------- arenas

class ArenaAndChildren : public ::testing::TestWithParam<fork_policy> {
protected:
    [[nodiscard]] void* memory() const { return arena_->memory().data(); }
    [[nodiscard]] std::size_t bytes() const { return arena_->memory().size(); }
    std::unique_ptr<arena> arena_ = std::make_unique<arena>(small_arena(GetParam()));
};

TEST_P(ArenaAndChildren, ForkCostsTheParentNothingUnlessInherited) {
    const std::uint64_t faults = faults_after(by_fork, memory(), bytes());
    const bool inherited = GetParam() == fork_policy::inherit;
    EXPECT_TRUE(test::as_expected(faults, inherited ? bytes() / page : 0U));
    (void)arena_->verify(); // a sanitizer's shadow memory is shared as well, until written to
    EXPECT_TRUE(arena_->verify()->resident);
}

TEST_P(ArenaAndChildren, VforkPosixSpawnAndSystemCostNothing) {
    if (!test::thread_sanitized) { // its runtime makes a fork of every vfork
        EXPECT_TRUE(test::as_expected(faults_after(by_vfork, memory(), bytes()), 0U));
    }
    EXPECT_TRUE(test::as_expected(faults_after(by_posix_spawn, memory(), bytes()), 0U));
    EXPECT_TRUE(test::as_expected(faults_after(by_system, memory(), bytes()), 0U));
}

TEST_P(ArenaAndChildren, AForkedChildFindsWhatThePolicySays) {
    auto* const first = static_cast<volatile unsigned char*>(memory());
    *first = 42;
    const auto child = run_in_child({}, [first] { std::_Exit(*first); });
    switch (GetParam()) {
    case fork_policy::exclude: // a sanitizer turns the signal into a report and an exit
        EXPECT_TRUE(test::sanitized ? !child.passed() : child.signal == SIGSEGV) << child.output;
        break;
    case fork_policy::wipe:
        EXPECT_EQ(child.exit_status, 0) << child.output;
        break;
    case fork_policy::inherit:
        EXPECT_EQ(child.exit_status, 42) << child.output;
        break;
    }
}

TEST_P(ArenaAndChildren, AForkedChildLocksNothingAndMayDestroyItsCopy) {
    const auto child = run_in_child({}, [this] {
        EXPECT_EQ(vm_locked_bytes(), 0U);
        arena_.reset();
    });
    EXPECT_TRUE(child.passed()) << child.output << " signal " << child.signal;
    EXPECT_TRUE(arena_->locked());
    EXPECT_EQ(arena_->verify()->locked, arena_->verify()->size);
}

INSTANTIATE_TEST_SUITE_P(Policy, ArenaAndChildren,
                         ::testing::Values(fork_policy::exclude, fork_policy::wipe,
                                           fork_policy::inherit),
                         [](const auto& policy) { return to_string(policy.param); });

} // namespace
} // namespace resident
