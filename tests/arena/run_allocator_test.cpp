// Concerns: the run allocator's promises, by index alone, no memory behind it.
// Plan: each merge case of a free; a differential run against a naive model with check() after
// every step; alignment with offsets; largest_free_run() always succeeds; growth merges; every
// field of the bookkeeping corrupted and check() seen to find it.

#include "arena/run_allocator.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <set>
#include <vector>

namespace resident::detail {

/// The one door into run_allocator's private state.
struct run_allocator_inspector {
    static auto& lists(run_allocator& runs) { return runs.lists_; }
    static auto& subclass_bits(run_allocator& runs) { return runs.subclass_bits_; }
    static auto& level_bits(run_allocator& runs) { return runs.level_bits_; }
    static auto& in_use(run_allocator& runs) { return runs.in_use_; }
    static auto& peak(run_allocator& runs) { return runs.peak_in_use_; }
    static auto& runs_in_use(run_allocator& runs) { return runs.runs_in_use_; }
};

namespace {

constexpr std::uint32_t none = run_allocator::none;

/// An allocator with records of its own.
struct managed_runs {
    explicit managed_runs(std::size_t size, std::size_t room = 0)
        : records(std::max(size, room)), runs(records.data()) {
        if (size != 0)
            runs.extend(size);
    }
    std::uint32_t get(std::size_t count) { return runs.allocate(count, 1, 0); }

    std::vector<granule_record> records;
    run_allocator runs;
};

TEST(run_allocator, zeroed_memory_is_an_allocator_of_nothing) {
    alignas(run_allocator) std::byte zeros[sizeof(run_allocator)]{};
    auto& runs = *reinterpret_cast<run_allocator*>(zeros);
    EXPECT_EQ(runs.allocate(1, 1, 0), none);
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
    EXPECT_EQ(managed.get(~std::size_t{0}), none);
    EXPECT_EQ(managed.runs.allocate(1, std::size_t{1} << 62, 1), none);
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
            const std::uint32_t run = managed.runs.allocate(7, alignment, offset);
            ASSERT_NE(run, none);
            EXPECT_EQ((run + offset) % alignment, 0u) << alignment << '+' << offset;
            EXPECT_EQ(managed.runs.check(), nullptr);
        }
    }
}

TEST(run_allocator, an_aligned_run_that_just_fits_is_found) {
    managed_runs managed(512);
    EXPECT_EQ(managed.runs.allocate(512, 512, 0), 0u);
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
                const std::size_t count = 1 + (random() % 8 == 0 ? random() % 700 : random() % 12);
                const std::size_t alignment = random() % 4 == 0 ? 1u << random() % 9 : 1u;
                const std::uint32_t run = managed.runs.allocate(count, alignment, 7);
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
                const std::size_t first = victim->first;
                expected.remove(first);
                managed.runs.deallocate(static_cast<std::uint32_t>(first));
                ASSERT_EQ(managed.runs.run_length(first), 0u);
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

/// Two used runs, two free ones of one class, and one of another: every kind of field is in play.
///     [used 4][free 4][used 4][free 4][used 4][free 12]
struct scene {
    scene() : managed(32) {
        for (auto& run : run_at)
            run = managed.get(4);
        managed.runs.deallocate(run_at[1]);
        managed.runs.deallocate(run_at[3]);
        EXPECT_EQ(managed.runs.check(), nullptr);
    }
    std::uint32_t run_at[5]{};
    managed_runs managed;
};

TEST(run_allocator, check_finds_each_corrupted_field) {
    using inspect = run_allocator_inspector;
    struct corruption {
        const char* found;
        void (*corrupt)(scene&);
    };
    const corruption corruptions[] = {
        {"a run has length 0", [](scene& at) { at.managed.records[0].length = 0; }},
        {"a run reaches beyond the arena", [](scene& at) { at.managed.records[20].length = 13; }},
        {"the ends of a run disagree on its length",
         [](scene& at) { at.managed.records[3].length = 5; }},
        {"the ends of a run disagree on its use",
         [](scene& at) { at.managed.records[3].in_use = 0; }},
        {"a run's begin mark disagrees with its use",
         [](scene& at) { at.managed.records[0].begins_used_run = 0; }},
        {"a begin mark lies inside a run",
         [](scene& at) { at.managed.records[2].begins_used_run = 1; }},
        {"two free runs are neighbours",
         [](scene& at) {
             for (const int i : {8, 11})
                 at.managed.records[std::size_t(i)].in_use = 0;
             at.managed.records[8].begins_used_run = 0;
         }},
        {"the count of granules in use is wrong",
         [](scene& at) { ++inspect::in_use(at.managed.runs); }},
        {"the count of runs in use is wrong",
         [](scene& at) { ++inspect::runs_in_use(at.managed.runs); }},
        {"the peak is out of range", [](scene& at) { inspect::peak(at.managed.runs) = 3; }},
        {"the peak is out of range", [](scene& at) { inspect::peak(at.managed.runs) = 33; }},
        {"a level bit is wrong",
         [](scene& at) { inspect::level_bits(at.managed.runs) ^= 1u << 3; }},
        {"a level bit beyond the last is set",
         [](scene& at) { inspect::level_bits(at.managed.runs) |= 1u << 31; }},
        {"a subclass bit is wrong",
         [](scene& at) { inspect::subclass_bits(at.managed.runs)[0] ^= 1u << 9; }},
        {"a list leads out of the arena",
         [](scene& at) { inspect::lists(at.managed.runs)[0][4] = 1000; }},
        {"a run in use is in a free list",
         [](scene& at) { inspect::lists(at.managed.runs)[0][4] = 1; }},
        {"a free run is in the list of another class",
         [](scene& at) { inspect::lists(at.managed.runs)[0][4] = 21; }},
        {"a back link is wrong", [](scene& at) { at.managed.records[12].previous = 4; }},
        {"a free run is in no list", [](scene& at) { at.managed.records[12].next = none; }},
        {"a list leads out of the arena", [](scene& at) { at.managed.records[4].next = 77; }},
    };
    for (const corruption& each : corruptions) {
        SCOPED_TRACE(each.found);
        scene at;
        each.corrupt(at);
        EXPECT_STREQ(at.managed.runs.check(), each.found);
    }
}

} // namespace
} // namespace resident::detail
