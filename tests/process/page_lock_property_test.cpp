// Concern
//   Whatever ranges are locked, in whatever order they are released, and whoever else locks pages
//   meanwhile, each page is locked exactly while someone wants it to be.
// Plan
//   Random locks and releases over a few pages, beside a model that counts per page in the plainest
//   way; after each step the kernel's own flags and the registry's counts must be the model's. Many
//   seeds; each failure prints its seed and step. Then the same counts from several threads at
//   once.
#include "os/lock_registry.hpp"
#include "resident/page_lock.hpp"
#include "support/build.hpp"
#include "support/fresh_pages.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <thread>
#include <vector>

#include <sys/syscall.h>

namespace resident {
namespace {

using test::fresh_pages;
using test::page;

constexpr std::size_t page_count = 12;

struct live_lock {
    page_lock lock;
    std::size_t first_page;
    std::size_t end_page;
};

/// Per page: how many page_locks, and whether someone else locked it before the first of them.
struct model {
    std::size_t owners[page_count] = {};
    bool others[page_count] = {};

    void add(const live_lock& lock, int change) {
        for (std::size_t index = lock.first_page; index < lock.end_page; ++index)
            owners[index] += static_cast<std::size_t>(change);
    }
    [[nodiscard]] std::string locks() const {
        std::string map(page_count, '-');
        for (std::size_t index = 0; index < page_count; ++index)
            if (owners[index] != 0 || others[index])
                map[index] = 'L';
        return map;
    }
};

class random_history {
public:
    explicit random_history(unsigned seed) : random_(seed) {}

    void step() {
        const auto choice = below(10);
        if (choice < 5 || locks_.empty())
            take();
        else if (choice < 9)
            release(below(locks_.size()));
        else
            lock_by_others(below(page_count));
    }
    void release_all() {
        while (!locks_.empty())
            release(below(locks_.size()));
    }
    void expect_as_modelled() const {
        EXPECT_EQ(pages_.locks(), model_.locks());
        for (std::size_t index = 0; index < page_count; ++index)
            EXPECT_EQ(os::locked_pages().owners(reinterpret_cast<std::uintptr_t>(pages_[index])),
                      model_.owners[index])
                << "page " << index;
    }

private:
    std::size_t below(std::size_t bound) {
        return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
    }
    void take() {
        const std::size_t first_byte = below(page_count * page);
        const std::size_t bytes = 1 + below(page_count * page - first_byte);
        auto lock = page_lock::create(pages_[0] + first_byte, bytes);
        ASSERT_TRUE(lock) << lock.error().what();
        locks_.push_back(
            {std::move(*lock), first_byte / page, (first_byte + bytes + page - 1) / page});
        model_.add(locks_.back(), 1);
    }
    void release(std::size_t which) {
        model_.add(locks_[which], -1);
        std::swap(locks_[which], locks_.back());
        locks_.pop_back();
    }
    void lock_by_others(std::size_t index) {
        if (model_.owners[index] != 0)
            return; // the kernel cannot tell whose lock it is then
        ASSERT_EQ(::syscall(SYS_mlock, pages_[index], page), 0);
        model_.others[index] = true;
    }

    std::mt19937 random_;
    fresh_pages pages_{page_count};
    std::vector<live_lock> locks_;
    model model_;
};

TEST(PageLockProperty, EveryPageIsLockedExactlyWhileSomeoneWantsIt) {
    constexpr unsigned seeds = test::sanitized ? 4 : 30; // reading smaps is slow there
    for (unsigned seed = 0; seed < seeds; ++seed) {
        random_history history(seed);
        for (int step = 0; step < 40; ++step) {
            SCOPED_TRACE(::testing::Message() << "seed " << seed << ", step " << step);
            history.step();
            history.expect_as_modelled();
            ASSERT_FALSE(::testing::Test::HasFailure());
        }
        SCOPED_TRACE(::testing::Message() << "seed " << seed << ", at the end");
        history.release_all();
        history.expect_as_modelled();
        ASSERT_FALSE(::testing::Test::HasFailure());
    }
}

TEST(PageLockProperty, CountsAreRightWhenManyRangesAreHeld) {
    // More ranges than the registry's first pages hold, and released from the middle outwards, so
    // that every release splits or shortens.
    constexpr std::size_t count = 400;
    const fresh_pages pages(count);
    std::vector<page_lock> locks(count);
    const auto whole = page_lock::create(pages[0], pages.bytes());
    ASSERT_TRUE(whole);
    for (std::size_t index = 0; index < count; index += 2) {
        auto lock = page_lock::create(pages[index], page);
        ASSERT_TRUE(lock) << lock.error().what();
        locks[index] = std::move(*lock);
    }
    const auto owners = [&](std::size_t index) {
        return os::locked_pages().owners(reinterpret_cast<std::uintptr_t>(pages[index]));
    };
    for (std::size_t index = 0; index < count; ++index)
        ASSERT_EQ(owners(index), index % 2 == 0 ? 2U : 1U) << "page " << index;
    for (std::size_t index = 0; index < count; ++index)
        locks[(index + count / 2) % count] = page_lock();
    for (std::size_t index = 0; index < count; ++index)
        ASSERT_EQ(owners(index), 1U) << "page " << index;
    EXPECT_EQ(pages.locks(), std::string(count, 'L'));
}

TEST(PageLockProperty, ThreadsMayLockOneRangeAtOnce) {
    const fresh_pages pages(4);
    const auto kept = page_lock::create(pages[1], page);
    ASSERT_TRUE(kept);
    std::vector<std::thread> threads;
    for (std::size_t thread = 0; thread < 4; ++thread)
        threads.emplace_back([&pages, thread] {
            for (int repetition = 0; repetition < 25; ++repetition) {
                const auto lock = page_lock::create(pages[thread % 2], 3 * page);
                EXPECT_TRUE(lock);
            }
        });
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(pages.locks(), "-L--");
    EXPECT_EQ(os::locked_pages().owners(reinterpret_cast<std::uintptr_t>(pages[1])), 1U);
}

} // namespace
} // namespace resident
