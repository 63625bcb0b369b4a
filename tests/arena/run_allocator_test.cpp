// Concerns: the run allocator's promises, by index alone, no memory behind it.
// Plan: each merge case of a free; a differential run against a naive model with check() after
// every step; alignment with offsets; largest_free_run() always succeeds; growth merges; a run
// shrunk to each length.

#include "arena/managed_runs.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <vector>

namespace resident::detail {
namespace {

TEST(run_allocator, a_class_begins_with_the_length_that_its_double_says) {
    // Lengths below 64 have a class each; beyond, 32 classes a doubling.
    for (std::uint32_t length = 1; length < 64; ++length)
        EXPECT_LT(run_classes::class_of(length), run_classes::class_of(length + 1));
    std::mt19937 random(3);
    for (int i = 0; i < 100'000; ++i) {
        const std::uint32_t length = (random() % run_allocator::max_granules + 1) >> random() % 30;
        if (length < 2)
            continue;
        const std::uint32_t fitting = run_classes::class_fitting(length);
        // The last length of a class that may not fit is shorter, the first of one that does is
        // not.
        ASSERT_GE(run_classes::class_of(length), fitting - 1);
        ASSERT_LT(run_classes::class_of(length - 1), fitting);
        const std::uint32_t wide = length + length / 31 + 1; // 1/32 longer, at least
        ASSERT_GE(run_classes::class_of(wide), fitting);
    }
}

TEST(run_allocator, zeroed_memory_is_an_allocator_of_nothing) {
    std::vector<std::uint64_t> zeros(run_allocator::storage_for(1, 1) / sizeof(std::uint64_t) + 1);
    auto& runs = *reinterpret_cast<run_allocator*>(zeros.data());
    EXPECT_EQ(runs.allocate(1), none);
    EXPECT_EQ(runs.allocate_aligned(1, 2, 0), none);
    EXPECT_EQ(runs.largest_free_run(), 0u);
    EXPECT_EQ(runs.run_length(0), 0u);
    EXPECT_EQ(runs.check(), nullptr);
}

TEST(run_allocator, hands_out_every_granule_and_refuses_the_next) {
    managed_runs managed(100);
    std::set<std::uint32_t> seen;
    for (int i = 0; i < 100; ++i)
        EXPECT_TRUE(seen.insert(managed.get(1)).second);
    EXPECT_EQ(*seen.rbegin(), 99u);
    EXPECT_EQ(managed.get(1), none);
    EXPECT_EQ(managed.runs.in_use(), 100u);
    EXPECT_EQ(managed.runs.runs_in_use(), 100u);
    EXPECT_EQ(managed.runs.check(), nullptr);
}

TEST(run_allocator, refuses_none_and_more_than_there_is) {
    managed_runs managed(64);
    EXPECT_EQ(managed.get(0), none);
    EXPECT_EQ(managed.get(65), none);
    EXPECT_EQ(managed.get(~std::uint32_t{0}), none);
    EXPECT_EQ(managed.runs.allocate_aligned(1, std::size_t{1} << 62, 1), none);
    EXPECT_EQ(managed.runs.allocate_aligned(0, 2, 0), none);
    EXPECT_EQ(managed.runs.allocate_aligned(65, 2, 0), none);
    EXPECT_EQ(managed.get(64), 0u);
}

/// Three runs of 8 in 32; the neighbours of the middle one freed or not, then the middle one.
class merges : public testing::TestWithParam<std::pair<bool, bool>> {};

TEST_P(merges, a_free_run_takes_in_its_free_neighbours) {
    const auto [left_is_free, right_is_free] = GetParam();
    managed_runs managed(24);
    const std::uint32_t left = managed.get(8);
    const std::uint32_t middle = managed.get(8);
    const std::uint32_t right = managed.get(8);
    if (left_is_free)
        managed.runs.deallocate(left);
    if (right_is_free)
        managed.runs.deallocate(right);
    managed.runs.deallocate(middle);
    EXPECT_EQ(managed.runs.check(), nullptr);
    const std::size_t merged = 8u + (left_is_free ? 8u : 0u) + (right_is_free ? 8u : 0u);
    EXPECT_EQ(managed.runs.largest_free_run(), merged);
    EXPECT_EQ(managed.get(merged), left_is_free ? left : middle);
}
INSTANTIATE_TEST_SUITE_P(run_allocator, merges,
                         testing::Values(std::pair{false, false}, std::pair{true, false},
                                         std::pair{false, true}, std::pair{true, true}));

TEST(run_allocator, takes_of_the_longest_run_what_is_wanted_or_all_of_it) {
    managed_runs managed(64);
    const std::uint32_t short_run = managed.get(3);
    (void)managed.get(1);
    const std::uint32_t long_run = managed.get(10);
    (void)managed.get(50); // the rest
    managed.runs.deallocate(short_run);
    managed.runs.deallocate(long_run);
    EXPECT_EQ(managed.runs.allocate_longest(12, 11), none);
    EXPECT_EQ(managed.runs.largest_free_run(), 10u);
    EXPECT_EQ(managed.runs.allocate_longest(4, 2), long_run);
    EXPECT_EQ(managed.runs.run_length(long_run), 4u);
    EXPECT_EQ(managed.runs.allocate_longest(12, 2), long_run + 4);
    EXPECT_EQ(managed.runs.run_length(long_run + 4), 6u);
    EXPECT_EQ(managed.runs.allocate_longest(12, 2), short_run);
    EXPECT_EQ(managed.runs.allocate_longest(1, 1), none);
    EXPECT_EQ(managed.runs.check(), nullptr);
}

TEST(run_allocator, growth_merges_with_a_free_end_and_not_with_a_used_one) {
    managed_runs managed(16, 64);
    managed.runs.extend(16);
    EXPECT_EQ(managed.runs.largest_free_run(), 32u);
    EXPECT_EQ(managed.get(32), 0u);
    managed.runs.extend(32);
    EXPECT_EQ(managed.runs.largest_free_run(), 32u);
    EXPECT_EQ(managed.runs.check(), nullptr);
    EXPECT_EQ(managed.get(32), 32u);
}

TEST(run_allocator, aligns_addresses_not_indices) {
    for (const std::size_t offset : {0u, 1u, 5u, 511u}) {
        for (std::size_t alignment = 1; alignment <= 1024; alignment *= 2) {
            managed_runs managed(4096);
            (void)managed.get(3); // so that the free run begins unaligned
            const std::uint32_t run = managed.runs.allocate_aligned(7, alignment, offset);
            ASSERT_NE(run, none);
            EXPECT_EQ((run + offset) % alignment, 0u) << alignment << '+' << offset;
            EXPECT_EQ(managed.runs.check(), nullptr);
        }
    }
}

TEST(run_allocator, an_aligned_run_that_just_fits_is_found) {
    managed_runs managed(512);
    EXPECT_EQ(managed.runs.allocate_aligned(512, 512, 0), 0u);
}

/// Three runs in 32: the middle one of 8, the last one there or free.
class shrinks : public testing::TestWithParam<bool> {};

TEST_P(shrinks, what_is_given_back_merges_with_a_free_run_behind) {
    const bool next_is_free = GetParam();
    for (std::uint32_t left = 1; left <= 8; ++left) {
        managed_runs managed(24);
        (void)managed.get(8);
        const std::uint32_t middle = managed.get(8);
        const std::uint32_t last = managed.get(8);
        if (next_is_free)
            managed.runs.deallocate(last);
        managed.runs.shrink(middle, left);
        ASSERT_EQ(managed.runs.check(), nullptr);
        EXPECT_EQ(managed.runs.run_length(middle), left);
        EXPECT_EQ(managed.runs.in_use(), 8u + left + (next_is_free ? 0u : 8u));
        EXPECT_EQ(managed.runs.peak_in_use(), 24u);
        EXPECT_EQ(managed.runs.runs_in_use(), next_is_free ? 2u : 3u);
        const std::uint32_t free = 8 - left + (next_is_free ? 8 : 0);
        EXPECT_EQ(managed.runs.largest_free_run(), free);
        if (free != 0) {
            EXPECT_EQ(managed.get(free), middle + left);
        }
        managed.runs.deallocate(middle);
        EXPECT_EQ(managed.runs.check(), nullptr);
    }
}
INSTANTIATE_TEST_SUITE_P(run_allocator, shrinks, testing::Bool());

TEST(run_allocator, the_peak_is_what_was_in_use_at_most) {
    managed_runs managed(100);
    const std::uint32_t run = managed.get(30);
    EXPECT_EQ(managed.runs.peak_in_use(), 30u);
    managed.runs.shrink(run, 10);
    (void)managed.get(15);
    EXPECT_EQ(managed.runs.peak_in_use(), 30u);
    (void)managed.get(10);
    EXPECT_EQ(managed.runs.in_use(), 35u);
    EXPECT_EQ(managed.runs.peak_in_use(), 35u);
    managed.runs.deallocate(run);
    EXPECT_EQ(managed.runs.peak_in_use(), 35u);
    EXPECT_EQ(managed.runs.check(), nullptr);
}

TEST(run_allocator, a_run_only_a_little_longer_is_found_when_nothing_else_is_left) {
    // 100 and 101 share a class, so that a search among those that surely fit passes both over.
    managed_runs managed(101);
    EXPECT_EQ(run_classes::class_of(100), run_classes::class_of(101));
    const std::uint32_t run = managed.get(100);
    EXPECT_EQ(run, 0u);
    EXPECT_EQ(managed.get(2), none);
    EXPECT_EQ(managed.get(1), 100u);
    EXPECT_EQ(managed.runs.check(), nullptr);
}

/// Naive twin: a map of the runs in use.
class model {
public:
    explicit model(std::size_t size) : size_(size) {}
    [[nodiscard]] bool is_free(std::size_t first, std::size_t count) const {
        const auto after = used_.lower_bound(first + count);
        if (first + count > size_)
            return false;
        return after == used_.begin() ||
               std::prev(after)->first + std::prev(after)->second <= first;
    }
    void add(std::size_t first, std::size_t count) { used_[first] = count; }
    void remove(std::size_t first) { used_.erase(first); }
    [[nodiscard]] std::size_t in_use() const {
        std::size_t sum = 0;
        for (const auto& [first, count] : used_)
            sum += count;
        return sum;
    }
    [[nodiscard]] std::size_t longest_gap() const {
        std::size_t gap = 0;
        std::size_t end = 0;
        for (const auto& [first, count] : used_) {
            gap = std::max(gap, first - end);
            end = first + count;
        }
        return std::max(gap, size_ - end);
    }
    const std::map<std::size_t, std::size_t>& used() const { return used_; }

private:
    std::size_t size_;
    std::map<std::size_t, std::size_t> used_;
};

TEST(run_allocator, agrees_with_a_model_over_random_histories) {
    constexpr std::size_t size = 3000;
    for (unsigned seed = 1; seed <= 8; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 random(seed);
        managed_runs managed(size);
        model expected(size);
        for (int step = 0; step < 4000; ++step) {
            if (random() % 2 == 0 || expected.used().empty()) {
                const std::uint32_t count =
                    1 + (random() % 8 == 0 ? random() % 700 : random() % 12);
                const std::size_t alignment = random() % 4 == 0 ? 1u << random() % 9 : 1u;
                const std::uint32_t run = alignment == 1
                                              ? managed.runs.allocate(count)
                                              : managed.runs.allocate_aligned(count, alignment, 7);
                if (run == none) {
                    EXPECT_GT(count + alignment - 1, managed.runs.largest_free_run());
                    continue;
                }
                ASSERT_TRUE(expected.is_free(run, count)) << run << '+' << count;
                ASSERT_EQ((run + 7) % alignment, 0u);
                ASSERT_EQ(managed.runs.run_length(run), count);
                expected.add(run, count);
            } else {
                auto victim = expected.used().begin();
                std::advance(victim, static_cast<long>(random() % expected.used().size()));
                const auto [first, length] = *victim;
                expected.remove(first);
                if (random() % 3 == 0) {
                    const std::size_t left = 1 + random() % length;
                    managed.runs.shrink(static_cast<std::uint32_t>(first),
                                        static_cast<std::uint32_t>(left));
                    expected.add(first, left);
                    ASSERT_EQ(managed.runs.run_length(first), left);
                } else {
                    managed.runs.deallocate(static_cast<std::uint32_t>(first));
                    ASSERT_EQ(managed.runs.run_length(first), 0u);
                }
            }
            ASSERT_EQ(managed.runs.in_use(), expected.in_use());
            ASSERT_EQ(managed.runs.runs_in_use(), expected.used().size());
            const std::size_t gap = expected.longest_gap();
            ASSERT_LE(managed.runs.largest_free_run(), gap);
            ASSERT_GE(managed.runs.largest_free_run(), gap - gap / 32);
            if (step % 16 == 0) {
                ASSERT_EQ(managed.runs.check(), nullptr);
            }
        }
        ASSERT_EQ(managed.runs.check(), nullptr);
    }
}

TEST(run_allocator, the_largest_free_run_can_be_had) {
    std::mt19937 random(42);
    managed_runs managed(5000);
    std::vector<std::uint32_t> runs;
    for (int step = 0; step < 2000; ++step) {
        if (const std::uint32_t run = managed.get(1 + random() % 90); run != none)
            runs.push_back(run);
        if (random() % 2 == 0 && !runs.empty()) {
            std::swap(runs[random() % runs.size()], runs.back());
            managed.runs.deallocate(runs.back());
            runs.pop_back();
        }
        const std::size_t largest = managed.runs.largest_free_run();
        if (largest == 0)
            continue;
        const std::uint32_t run = managed.get(largest);
        ASSERT_NE(run, none) << largest;
        managed.runs.deallocate(run);
    }
}

} // namespace
} // namespace resident::detail
