// Concerns: check() of a concurrent pool sees what its lanes count wrongly, together, and nothing
// wrong while other threads use it.
// Plan: counts of a group's lanes are changed and put right again; threads beside a loop of checks.

#include <resident/arena.hpp>

#include "pool/lane_group.hpp"
#include "pool/pool_scene.hpp"
#include "support/build.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <random>
#include <thread>
#include <vector>

namespace resident::detail {
namespace {

using namespace resident::literals;

class lanes_check : public testing::Test {
protected:
    void SetUp() override {
        if (test::address_sanitized)
            GTEST_SKIP() << "AddressSanitizer watches each block: there is one lane, with a mutex";
        group_ = lane_group::create({}, memory_, nullptr);
        ASSERT_NE(group_, nullptr);
    }
    void TearDown() override {
        if (group_ != nullptr)
            lane_group::destroy(group_);
    }

    arena memory_{{.capacity = 16_MiB, .lock = lock_policy::off}};
    lane_group* group_ = nullptr;
};

TEST_F(lanes_check, adds_up_what_the_lanes_count) {
    void* const run = group_->allocate(200_KiB, 8);
    std::thread([&] { group_->deallocate(run, 200_KiB, 8); }).join(); // another lane counts that
    EXPECT_EQ(group_->check(), nullptr);

    lane& guarded = group_->guarded_lane();
    const std::size_t held = inspect::held(guarded);
    inspect::held(guarded) = held + 4096;
    EXPECT_STREQ(group_->check(), "the lanes' counts of bytes held are wrong");
    inspect::held(guarded) = held;
    EXPECT_EQ(group_->check(), nullptr);

    inspect::runs_in_use(guarded) += 4096;
    EXPECT_STREQ(group_->check(), "the lanes' counts of bytes in runs are wrong");
    inspect::runs_in_use(guarded) -= 4096;
    EXPECT_EQ(group_->check(), nullptr);

    group_->note_held(4096);
    EXPECT_STREQ(group_->check(), "the count of bytes held by all lanes is wrong");
    group_->note_held(0 - std::size_t{4096});
    EXPECT_EQ(group_->check(), nullptr);
}

TEST_F(lanes_check, finds_nothing_while_threads_are_at_work) {
    std::atomic<bool> is_done{false};
    std::atomic<void*> passed{nullptr};
    const auto work = [&](unsigned seed) {
        std::mt19937 random(seed);
        while (!is_done) {
            void* const block = group_->allocate(sizeof(void*) + random() % 2000, 1);
            void* const other = passed.exchange(block);
            if (other != nullptr)
                group_->deallocate(other, pool_state::unknown_size, 1);
        }
    };
    std::vector<std::thread> threads;
    for (unsigned seed = 0; seed < 3; ++seed)
        threads.emplace_back(work, seed);
    for (int i = 0; i < 1000; ++i)
        EXPECT_EQ(group_->check(), nullptr) << i;
    is_done = true;
    for (std::thread& each : threads)
        each.join();
    group_->deallocate(passed, pool_state::unknown_size, 1);
    EXPECT_EQ(group_->check(), nullptr);
}

} // namespace
} // namespace resident::detail
