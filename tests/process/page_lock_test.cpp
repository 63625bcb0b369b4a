// Concerns
//   A page_lock locks and populates every page that its range touches, counts per page, and gives
//   back exactly what it took.
// Plan
//   1. What is locked: rounding to pages, population, nothing for 0 bytes.
//   2. Stacking: two locks on one page, several in any order, pages locked by mlock or mlockall.
//   3. Refusals that change nothing: holes, inaccessible memory, ranges beyond the address space.
//   4. Moving: what was moved from holds nothing.
//   5. Memory unmapped under a lock; unlock_all_memory.
#include "os/lock_registry.hpp"
#include "resident/page_lock.hpp"
#include "resident/prepare.hpp"
#include "resident/residency.hpp"
#include "support/build.hpp"
#include "support/child.hpp"
#include "support/fresh_pages.hpp"
#include "support/process_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <sys/syscall.h>

namespace resident {
namespace {

using test::fresh_pages;
using test::page;
using test::process_state;

page_lock lock(const void* address, std::size_t bytes) {
    auto made = page_lock::create(address, bytes);
    EXPECT_TRUE(made) << made.error().what();
    return made ? std::move(*made) : page_lock();
}

// Not through libc, which sanitizers make do nothing.
bool lock_by_system_call(const void* address, std::size_t bytes) {
    return ::syscall(SYS_mlock, address, bytes) == 0;
}

// ---------------------------------------------------------------- 1. What is locked

TEST(PageLock, LocksAndPopulatesEveryPageThatItsRangeTouches) {
    const fresh_pages pages(5);
    const auto held = lock(pages[2] - 1, page + 2); // the last byte of page 1 to the first of 3
    EXPECT_EQ(pages.locks(), "-LLL-");
    EXPECT_EQ(residency(pages[0], pages.bytes())->to_string(), ".***.");
    EXPECT_TRUE(held.locked());
    EXPECT_EQ(held.address(), pages[1]);
    EXPECT_EQ(held.size(), 3 * page);
}

TEST(PageLock, UnlocksAtTheEndOfItsLife) {
    const fresh_pages pages(3);
    const auto before = process_state::now();
    { const auto held = lock(pages[0], pages.bytes()); }
    EXPECT_EQ(pages.locks(), "---");
    EXPECT_EQ(process_state::now(), before);
}

TEST(PageLock, LocksNothingForNoBytes) {
    const fresh_pages pages(1);
    const auto held = lock(pages[0], 0);
    EXPECT_FALSE(held.locked());
    EXPECT_EQ(held.address(), nullptr);
    EXPECT_EQ(held.size(), 0U);
    EXPECT_EQ(pages.locks(), "-");
    EXPECT_FALSE(lock(nullptr, 0).locked());
    EXPECT_FALSE(page_lock().locked());
}

TEST(PageLock, TakesASpan) {
    const fresh_pages pages(3);
    const std::span<int> elements(reinterpret_cast<int*>(pages[0]), 2 * page / sizeof(int));
    const page_lock held(elements);
    EXPECT_EQ(pages.locks(), "LL-");
}

TEST(PageLock, BreaksCopyOnWriteSharingSoThatWritingMakesNoFault) {
    const fresh_pages pages(4);
    for (std::size_t index = 0; index < pages.count(); ++index)
        (void)*static_cast<volatile char*>(pages[index]); // the zero page
    const auto held = lock(pages[0], pages.bytes());
    const auto map = residency(pages[0], pages.bytes());
    EXPECT_TRUE(map->all_resident()) << map->to_string();
}

// ---------------------------------------------------------------- 2. Stacking

TEST(PageLock, KeepsAPageThatAnotherLockStillHolds) {
    const fresh_pages pages(3);
    std::optional<page_lock> first(lock(pages[0], 2 * page));
    std::optional<page_lock> second(lock(pages[1], 2 * page));
    EXPECT_EQ(pages.locks(), "LLL");
    first.reset();
    EXPECT_EQ(pages.locks(), "-LL");
    second.reset();
    EXPECT_EQ(pages.locks(), "---");
}

TEST(PageLock, StacksOnOneRangeAnyNumberOfTimes) {
    const fresh_pages pages(2);
    std::vector<page_lock> locks;
    for (int count = 0; count < 100; ++count)
        locks.push_back(lock(pages[0], pages.bytes()));
    EXPECT_EQ(os::locked_pages().owners(reinterpret_cast<std::uintptr_t>(pages[1])), 100U);
    while (locks.size() > 1)
        locks.pop_back();
    EXPECT_EQ(pages.locks(), "LL");
    locks.clear();
    EXPECT_EQ(pages.locks(), "--");
}

TEST(PageLock, HealsPagesThatOthersUnlocked) {
    const fresh_pages pages(3);
    const auto first = lock(pages[0], pages.bytes());
    ::syscall(SYS_munlock, pages[0], pages.bytes());
    ASSERT_EQ(pages.locks(), "---");
    const auto second = lock(pages[1], page);
    EXPECT_EQ(pages.locks(), "-L-");
}

TEST(PageLock, LeavesLockedWhatOthersHadLocked) {
    const fresh_pages pages(4);
    ASSERT_TRUE(lock_by_system_call(pages[1], page));
    {
        const auto whole = lock(pages[0], pages.bytes());
        const auto part = lock(pages[1], page);
        EXPECT_EQ(pages.locks(), "LLLL");
    }
    EXPECT_EQ(pages.locks(), "-L--");
}

TEST(PageLock, LeavesLockedWhatMlockallHadLocked) {
    if (test::sanitized)
        GTEST_SKIP() << "mlockall would populate the shadow memory";
    const auto child = test::run_in_child({}, [] {
        const fresh_pages pages(3);
        ASSERT_TRUE(prepare_process({.lock_all = {.current = true}, .lock_code = false}));
        ASSERT_EQ(pages.locks(), "LLL");
        { const auto held = lock(pages[1], page); }
        EXPECT_EQ(pages.locks(), "LLL");
    });
    EXPECT_TRUE(child.passed()) << child.output;
}

// ---------------------------------------------------------------- 3. Refusals

TEST(PageLock, RefusesARangeWithAHoleAndLocksNoneOfIt) {
    const fresh_pages pages(6);
    pages.unmap(3);
    const auto held = lock(pages[1], page);
    const auto before = process_state::now();
    const auto refused = page_lock::create(pages[0], pages.bytes());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().cause(), cause::invalid_argument);
    EXPECT_STREQ(refused.error().details().subject.data(), "page_lock");
    EXPECT_EQ(refused.error().details().bytes_asked, pages.bytes());
    EXPECT_EQ(pages.locks(), "-L- --");
    EXPECT_EQ(process_state::now(), before);
}

TEST(PageLock, RefusesInaccessibleMemory) {
    const fresh_pages pages(3);
    ASSERT_EQ(::mprotect(pages[1], page, PROT_NONE), 0);
    const auto refused = page_lock::create(pages[0], pages.bytes());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().cause(), cause::invalid_argument);
    EXPECT_EQ(pages.locks(), "---");
}

TEST(PageLock, RefusesRangesBeyondTheAddressSpace) {
    const fresh_pages pages(1);
    constexpr auto most = std::numeric_limits<std::size_t>::max();
    const auto last = reinterpret_cast<const void*>(most);
    const std::pair<const void*, std::size_t> ranges[] = {
        {pages[0], most}, {pages[0], most - page}, {last, 1}, {last, most}, {nullptr, most}};
    for (const auto& [address, bytes] : ranges) {
        const auto refused = page_lock::create(address, bytes);
        ASSERT_FALSE(refused) << address << ' ' << bytes;
        EXPECT_EQ(refused.error().cause(), cause::invalid_argument);
    }
    EXPECT_EQ(pages.locks(), "-");
}

#ifdef __cpp_exceptions
TEST(PageLock, ConstructorThrowsTheError) {
    try {
        const page_lock held(nullptr, 1);
        FAIL() << "no error";
    } catch (const error& refused) {
        EXPECT_EQ(refused.cause(), cause::invalid_argument);
    }
}
#endif

// ---------------------------------------------------------------- 4. Moving

TEST(PageLock, MovedFromHoldsNothing) {
    const fresh_pages pages(2);
    auto first = lock(pages[0], page);
    auto second = std::move(first);
    EXPECT_FALSE(first.locked()); // NOLINT(bugprone-use-after-move): it is specified
    EXPECT_EQ(first.address(), nullptr);
    EXPECT_TRUE(second.locked());
    first = page_lock();
    EXPECT_EQ(pages.locks(), "L-");

    second = lock(pages[1], page); // releases the former one
    EXPECT_EQ(pages.locks(), "-L");
    first.swap(second);
    EXPECT_EQ(first.address(), pages[1]);
    EXPECT_FALSE(second.locked());
}

TEST(PageLock, SurvivesMovingToItself) {
    const fresh_pages pages(1);
    auto held = lock(pages[0], page);
    auto& same = held;
    held = std::move(same);
    EXPECT_TRUE(held.locked());
    EXPECT_EQ(pages.locks(), "L");
}

// ---------------------------------------------------------------- 5. What others do meanwhile

TEST(PageLock, UnlocksTheRestWhenPagesWereUnmappedMeanwhile) {
    const fresh_pages pages(5);
    {
        const auto held = lock(pages[0], pages.bytes());
        pages.unmap(1);
        pages.unmap(3);
    }
    EXPECT_EQ(pages.locks(), "- - -");
    EXPECT_EQ(os::locked_pages().owners(reinterpret_cast<std::uintptr_t>(pages[1])), 0U);
}

TEST(PageLock, SurvivesUnlockAllMemory) {
    const fresh_pages pages(6);
    ASSERT_TRUE(lock_by_system_call(pages[0], 2 * page));
    {
        const auto held = lock(pages[1], 4 * page);
        pages.unmap(3);
        ASSERT_TRUE(unlock_all_memory());
        EXPECT_EQ(pages.locks(), "-LL L-");
    }
    // Others' lock on page 1 has gone with munlockall, so it is nobody's now.
    EXPECT_EQ(pages.locks(), "--- --");
}

} // namespace
} // namespace resident
