// Concern
//   Whichever kernel call fails, and with whatever errno, a page_lock that cannot be had leaves no
//   lock, no count, no mapping and no open file behind, and its error tells the truth.
// Plan
//   1. A matrix: each call that taking a lock makes, with each errno that the kernel documents or
//      was seen to give; the cause and the errno in the error.
//   2. The k-th call of any kind fails, for every k until none is left; before and after are equal,
//      and the next lock succeeds. For a lock on fresh pages, and for one that overlaps another.
//   3. The same while a lock is released: nothing throws, and no count is left.
//   4. A lock that fails half way unlocks what it locked, and nothing more.
#include "os/lock_registry.hpp"
#include "resident/page_lock.hpp"
#include "support/failing_kernel.hpp"
#include "support/fresh_pages.hpp"
#include "support/process_state.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <ostream>

#include <sys/syscall.h>

namespace resident {
namespace {

using test::failing_kernel;
using test::fresh_pages;
using test::page;
using test::process_state;
using call = failing_kernel::call;

std::size_t owners(const void* address) {
    return os::locked_pages().owners(reinterpret_cast<std::uintptr_t>(address));
}

// ---------------------------------------------------------------- 1. Each call, each errno

struct failing_call {
    call which;
    unsigned nth;
    int error_number;
    resident::operation operation;
};

std::ostream& operator<<(std::ostream& out, const failing_call& failing) {
    return out << to_string(failing.which) << ' ' << failing.nth << " errno "
               << failing.error_number;
}

class PageLockFailingCall : public ::testing::TestWithParam<failing_call> {};

TEST_P(PageLockFailingCall, IsReportedAndLeavesNothing) {
    const fresh_pages pages(4);
    const auto neighbour = page_lock::create(pages[1], page);
    ASSERT_TRUE(neighbour);
    const auto before = process_state::now();

    failing_kernel kernel;
    kernel.fail(GetParam().which, GetParam().nth, GetParam().error_number);
    {
        const os::kernel_replacement in_force(kernel);
        const auto refused = page_lock::create(pages[0], pages.bytes());
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().operation(), GetParam().operation);
        EXPECT_EQ(refused.error().error_number(), GetParam().error_number);
        EXPECT_STRNE(refused.error().remedy(), "");
    }
    EXPECT_TRUE(kernel.has_failed());
    EXPECT_EQ(kernel.open_files(), 0);
    EXPECT_EQ(process_state::now(), before);
    EXPECT_EQ(pages.locks(), "-L--");
    EXPECT_EQ(owners(pages[0]), 0U);
    EXPECT_EQ(owners(pages[1]), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    Errno, PageLockFailingCall,
    ::testing::Values(
        // mlock: the limit or a hole; a page that cannot be had; limit 0; a bad range
        failing_call{call::lock, 1, ENOMEM, operation::lock},
        failing_call{call::lock, 1, EAGAIN, operation::lock},
        failing_call{call::lock, 1, EPERM, operation::lock},
        failing_call{call::lock, 1, EINVAL, operation::lock},
        // /proc/self/smaps, the first file that is opened
        failing_call{call::open_file, 1, ENOENT, operation::read_system_file},
        failing_call{call::open_file, 1, EMFILE, operation::read_system_file},
        failing_call{call::open_file, 1, EACCES, operation::read_system_file},
        failing_call{call::read_file, 1, EIO, operation::read_system_file}));

// ---------------------------------------------------------------- 2. The k-th call

/// Takes a lock on all pages while the k-th call fails. Returns: whether a call failed.
bool lock_with_failing_call(const fresh_pages& pages, unsigned k, const std::string& locks) {
    SCOPED_TRACE(::testing::Message() << "call " << k);
    const auto before = process_state::now();
    failing_kernel kernel;
    kernel.fail_kth(k, ENOMEM);
    {
        const os::kernel_replacement in_force(kernel);
        const auto lock = page_lock::create(pages[0], pages.bytes());
        // What only tells more (headroom, pagemap, the limits) may fail without harm.
        EXPECT_EQ(pages.locks(), lock ? std::string(pages.count(), 'L') : locks);
    }
    EXPECT_EQ(pages.locks(), locks);
    EXPECT_LE(kernel.open_files(), 1) << "one, where closing it was the call to fail";
    auto after = process_state::now();
    after.open_descriptors = before.open_descriptors;
    EXPECT_EQ(after, before);
    return kernel.has_failed();
}

TEST(PageLockFailingCalls, TheKthCallOfALockOnFreshPages) {
    const fresh_pages pages(3);
    unsigned k = 1;
    while (lock_with_failing_call(pages, k, "---"))
        ++k;
    EXPECT_GT(k, 5U);
    EXPECT_EQ(owners(pages[0]), 0U);
}

TEST(PageLockFailingCalls, TheKthCallOfALockThatOverlapsOthers) {
    const fresh_pages pages(6);
    const auto first = page_lock::create(pages[1], page);
    ASSERT_TRUE(first);
    ASSERT_EQ(::syscall(SYS_mlock, pages[3], page), 0);
    const auto second = page_lock::create(pages[3], 2 * page);
    ASSERT_TRUE(second);
    unsigned k = 1;
    while (lock_with_failing_call(pages, k, "-L-LL-"))
        ++k;
    EXPECT_GT(k, 5U);
    EXPECT_EQ(owners(pages[3]), 1U);
}

TEST(PageLockFailingCalls, TheRegistryAsksForMemoryInTime) {
    // Many ranges apart, one after the other, with every request of memory refused: the first that
    // does not fit any more is refused, and all others can still be released.
    constexpr std::size_t count = 4000;
    const fresh_pages pages(2 * count);
    std::vector<page_lock> locks;
    failing_kernel kernel;
    kernel.fail(call::map, 0, ENOMEM);
    {
        const os::kernel_replacement in_force(kernel);
        while (locks.size() < count) {
            // Counted and not locked, or this would take minutes.
            const auto address = reinterpret_cast<std::uintptr_t>(pages[2 * locks.size()]);
            if (!os::locked_pages().hold(address, page))
                break;
            locks.emplace_back();
        }
        ASSERT_LT(locks.size(), count) << "memory was never asked for";
        EXPECT_FALSE(page_lock::create(pages[2 * count - 1], page));
        EXPECT_EQ(owners(pages[2 * locks.size()]), 0U);
        for (std::size_t index = 0; index < locks.size(); ++index)
            os::locked_pages().drop(reinterpret_cast<std::uintptr_t>(pages[2 * index]), page);
    }
    EXPECT_EQ(pages.locks(), std::string(2 * count, '-'));
    for (std::size_t index = 0; index < locks.size(); ++index)
        ASSERT_EQ(owners(pages[2 * index]), 0U);
    EXPECT_TRUE(page_lock::create(pages[0], page));
}

// ---------------------------------------------------------------- 3. Releasing

TEST(PageLockFailingCalls, ReleasingUncountsWhateverFails) {
    const fresh_pages pages(5);
    for (unsigned k = 1; k < 4; ++k) {
        SCOPED_TRACE(::testing::Message() << "call " << k);
        const auto kept = page_lock::create(pages[2], page);
        ASSERT_TRUE(kept);
        std::optional<result<page_lock>> lock(page_lock::create(pages[0], pages.bytes()));
        ASSERT_TRUE(*lock);
        failing_kernel kernel;
        kernel.fail_kth(k, EINVAL);
        {
            const os::kernel_replacement in_force(kernel);
            lock.reset();
        }
        EXPECT_EQ(owners(pages[0]), 0U);
        EXPECT_EQ(owners(pages[2]), 1U);
        EXPECT_EQ(pages.locks()[2], 'L');
    }
}

TEST(PageLockFailingCalls, ReleasingNeedsNoMemory) {
    // Holes in the middle of one held range: each release splits a range of counts.
    constexpr std::size_t count = 601;
    const fresh_pages pages(count);
    std::vector<page_lock> locks;
    const auto address = [&](std::size_t index) {
        return reinterpret_cast<std::uintptr_t>(pages[index]);
    };
    for (std::size_t index = 0; index < count; ++index)
        ASSERT_TRUE(os::locked_pages().hold(address(index), page));
    failing_kernel kernel;
    kernel.fail(call::map, 0, ENOMEM);
    const os::kernel_replacement in_force(kernel);
    for (std::size_t index = 1; index < count; index += 2)
        os::locked_pages().drop(address(index), page);
    for (std::size_t index = 0; index < count; ++index)
        ASSERT_EQ(owners(pages[index]), index % 2 == 0 ? 1U : 0U) << "page " << index;
    for (std::size_t index = 0; index < count; index += 2)
        os::locked_pages().drop(address(index), page);
    ASSERT_EQ(owners(pages[0]), 0U);
}

// ---------------------------------------------------------------- 4. Half way

/// mlock as the kernel does it where population fails: the pages stay locked, the call fails.
class half_way_kernel : public os::kernel {
public:
    explicit half_way_kernel(std::size_t pages) : pages_(pages) {}
    os::outcome lock(const void* address, std::size_t) noexcept override {
        (void)os::kernel::lock(address, pages_ * page);
        return os::outcome::failure(ENOMEM);
    }

private:
    std::size_t pages_;
};

TEST(PageLockFailingCalls, ALockThatFailsHalfWayUnlocksWhatItLockedAndNothingMore) {
    const fresh_pages pages(6);
    const auto kept = page_lock::create(pages[1], page);
    ASSERT_TRUE(kept);
    ASSERT_EQ(::syscall(SYS_mlock, pages[3], page), 0); // by others
    ASSERT_EQ(pages.locks(), "-L-L--");
    for (std::size_t done = 1; done <= pages.count(); ++done) {
        half_way_kernel kernel(done);
        const os::kernel_replacement in_force(kernel);
        EXPECT_FALSE(page_lock::create(pages[0], pages.bytes()));
        EXPECT_EQ(pages.locks(), "-L-L--") << "after " << done << " pages";
    }
}

} // namespace
} // namespace resident
