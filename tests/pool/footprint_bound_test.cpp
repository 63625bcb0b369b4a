// The worst-case bound of footprint holds.
//
// Concerns: once the peaks are reserved on an arena of exactly that capacity, no order of requests
// within them is refused or visits the arena; runs too find room, whatever their lengths; the slabs
// are as long as the arena's size makes them.
//
// Plan: play adversarial orders (rising, falling, combs, random tides) with all classes together
// and each alone, with runs of equal and of mixed lengths beside, below and above the 64 MiB from
// which slabs are long; the formula itself at the edges of slabs.
#include "pool/footprint_bound.hpp"
#include "resident/footprint.hpp"
#include "support/unlocked_arena.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace resident::test {
namespace {

using namespace resident::literals;

struct kind {
    std::size_t bytes;
    std::size_t peak;
};

/// Holds blocks of each kind, never more than its peak; a refusal is a failure of the test.
class player {
public:
    player(const std::vector<kind>& kinds, std::uint32_t seed)
        : kinds_(kinds), held_(kinds.size()), random_(seed) {
        const footprint_report report = footprint(
            [&](unsynchronized_pool_resource& pool) {
                for (const kind& each : kinds_)
                    for (std::size_t block = 0; block < each.peak; ++block)
                        (void)pool.allocate(each.bytes);
            },
            {.run_once = true});
        memory_.emplace(unlocked(report.bound));
        pool_.emplace(*memory_);
        const auto reserved = try_reserve(*pool_, report);
        EXPECT_TRUE(reserved) << reserved.error().what();
    }

    void grow(std::size_t which) {
        void* const block = pool_->try_allocate(kinds_[which].bytes);
        ASSERT_NE(block, nullptr) << kinds_[which].bytes << " bytes, number "
                                  << held_[which].size();
        held_[which].push_back(block);
    }
    void shrink(std::size_t which, std::size_t position) {
        std::swap(held_[which][position], held_[which].back());
        pool_->deallocate(held_[which].back(), kinds_[which].bytes);
        held_[which].pop_back();
    }
    void fill(std::size_t which) {
        while (held_[which].size() < kinds_[which].peak)
            ASSERT_NO_FATAL_FAILURE(grow(which));
    }
    /// Frees all but every `kept`-th.
    void comb(std::size_t which, std::size_t kept) {
        for (std::size_t position = held_[which].size(); position-- > 0;)
            if (position % kept != 0)
                shrink(which, position);
    }
    void empty(std::size_t which) {
        while (!held_[which].empty())
            shrink(which, held_[which].size() / 2);
    }

    void play_rising_and_falling() {
        for (const bool falling : {false, true, false}) {
            for (std::size_t step = 0; step < kinds_.size(); ++step)
                ASSERT_NO_FATAL_FAILURE(fill(falling ? kinds_.size() - 1 - step : step));
            for (std::size_t step = 0; step < kinds_.size(); ++step)
                empty(falling ? step : kinds_.size() - 1 - step);
        }
    }
    void play_combs() {
        for (std::size_t kept = 2; kept < 40; kept += 3)
            for (std::size_t which = 0; which < kinds_.size(); ++which) {
                ASSERT_NO_FATAL_FAILURE(fill(which));
                comb(which, kept);
            }
        for (std::size_t which = 0; which < kinds_.size(); ++which)
            ASSERT_NO_FATAL_FAILURE(fill(which));
    }
    void play_at_random(int steps) {
        for (int step = 0; step < steps; ++step) {
            const std::size_t which = random_() % kinds_.size();
            const std::size_t now = held_[which].size();
            // Long tides: mostly up for a while, then mostly down.
            const bool up = random_() % 16 < (step / 2000 % 2 == 0 ? 12U : 4U);
            if (up && now < kinds_[which].peak)
                ASSERT_NO_FATAL_FAILURE(grow(which));
            else if (!up && now != 0)
                shrink(which, random_() % now);
        }
    }
    void play_all() {
        ASSERT_NO_FATAL_FAILURE(play_rising_and_falling());
        ASSERT_NO_FATAL_FAILURE(play_combs());
        ASSERT_NO_FATAL_FAILURE(play_at_random(60'000));
        EXPECT_EQ(pool_->check(), nullptr);
        EXPECT_EQ(memory_->check(), nullptr);
        EXPECT_EQ(pool_->statistics().failures, 0U);
    }
    unsynchronized_pool_resource& pool() { return *pool_; }

private:
    std::vector<kind> kinds_;
    std::vector<std::vector<void*>> held_;
    std::mt19937 random_;
    std::optional<arena> memory_;
    std::optional<unsynchronized_pool_resource> pool_;
};

TEST(FootprintBound, HoldsForBlocksInAnyOrderWithoutAVisit) {
    player blocks({{16, 5000},
                   {40, 1},
                   {48, 700},
                   {64, 63},
                   {208, 400},
                   {1000, 90},
                   {4096, 7},
                   {5000, 13},
                   {16384, 5},
                   {60000, 3}},
                  1);
    const std::uint64_t before = blocks.pool().statistics().arena_visits;
    blocks.play_all();
    EXPECT_EQ(blocks.pool().statistics().arena_visits, before);
}

TEST(FootprintBound, HoldsForEachClassAlone) {
    for (unsigned index = 1; index < detail::size_classes::count; ++index) {
        const std::size_t size =
            detail::size_classes::block_size(static_cast<detail::size_class_index>(index));
        const std::size_t peak = index % 3 == 0 ? 1 : 9;
        player alone({{size, peak}}, 2);
        ASSERT_NO_FATAL_FAILURE(alone.play_combs()) << size << " bytes, " << peak;
    }
}

TEST(FootprintBound, HoldsForRandomKinds) {
    std::mt19937 random(3);
    for (std::uint32_t seed = 0; seed < 12; ++seed) {
        std::vector<kind> kinds;
        for (std::size_t count = random() % 20 + 1; count-- > 0;)
            kinds.push_back(
                {random() % (std::size_t{16} << random() % 13) + 1, random() % 200 + 1});
        ASSERT_NO_FATAL_FAILURE(player(kinds, seed).play_all()) << "seed " << seed;
    }
}

TEST(FootprintBound, HoldsForRunsOfEqualLength) {
    for (const std::size_t bytes : {68_KiB, 100_KiB, 260_KiB, 300_KiB})
        ASSERT_NO_FATAL_FAILURE(player({{bytes, 9}, {64, 100}}, 4).play_all()) << bytes;
}

TEST(FootprintBound, HoldsForRunsOfMixedLengths) {
    ASSERT_NO_FATAL_FAILURE(
        player({{68_KiB, 12}, {72_KiB, 5}, {300_KiB, 3}, {128, 50}}, 5).play_all());
    ASSERT_NO_FATAL_FAILURE(player({{70_KiB, 20}, {270_KiB, 1}, {1_MiB, 1}}, 6).play_all());
}

TEST(FootprintBound, HoldsWhereSlabsAreLong) {
    // From 64 MiB on slabs are long until the arena is scarce.
    player large({{64, 700'000}, {48, 500'000}, {208, 30'000}, {5000, 9}}, 7);
    ASSERT_NO_FATAL_FAILURE(large.fill(0));
    ASSERT_NO_FATAL_FAILURE(large.fill(1));
    ASSERT_NO_FATAL_FAILURE(large.fill(2));
    ASSERT_NO_FATAL_FAILURE(large.play_at_random(200'000));
    EXPECT_GE(large.pool().source().statistics().capacity, 64_MiB);
}

/// Slabs of few blocks leave much behind the last one, if they may be as short as that.
TEST(FootprintBound, HoldsWhateverTheMostBlocksOfASlab) {
    constexpr std::size_t bytes = 9000;
    std::vector<void*> blocks(3000);
    for (const std::size_t most : {1U, 2U, 3U, 5U, 9U, 14U, 50U}) {
        const pool_options pool_with{.max_blocks_per_chunk = most};
        const auto allocate_all = [&](unsynchronized_pool_resource& pool) {
            for (void*& block : blocks)
                block = pool.allocate(bytes);
        };
        const auto report = try_footprint(
            [&](unsynchronized_pool_resource& pool) {
                allocate_all(pool);
                for (void* const block : blocks)
                    pool.deallocate(block, bytes);
            },
            {.pool = pool_with, .run_once = true});
        ASSERT_TRUE(report) << report.error().what();
        arena memory{unlocked(report->bound)};
        unsynchronized_pool_resource pool{pool_with, memory};
        const auto reserved = try_reserve(pool, *report);
        ASSERT_TRUE(reserved) << most << ": " << reserved.error().what();
        const std::uint64_t visits = pool.statistics().arena_visits;
        allocate_all(pool);
        EXPECT_EQ(pool.statistics().arena_visits, visits) << most;
    }
}

TEST(FootprintBound, OfReservedBlocksIsSlabsTimesTheirLength) {
    using detail::granules_to_reserve;
    const auto& geometry = detail::slab_geometries[detail::size_classes::of(64)];
    const std::size_t in_frugal = geometry.frugal * arena::granule_size / 64;
    const std::size_t in_usual = geometry.usual * arena::granule_size / 64;
    EXPECT_EQ(granules_to_reserve(geometry, 0, 0, 1000), 0U);
    EXPECT_EQ(granules_to_reserve(geometry, 1, 0, 1000), geometry.frugal);
    EXPECT_EQ(granules_to_reserve(geometry, in_frugal, 0, 1000), geometry.frugal);
    EXPECT_EQ(granules_to_reserve(geometry, in_frugal + 1, 0, 1000), 2U * geometry.frugal);
    EXPECT_EQ(granules_to_reserve(geometry, 1, 0, 1 << 20), geometry.usual) << "plenty";
    EXPECT_GE(granules_to_reserve(geometry, in_usual + 1, 0, 1 << 20), 2U * geometry.usual);
    EXPECT_EQ(granules_to_reserve(geometry, 1, 64, 1 << 20), 1U) << "at most 64 blocks a slab";
}

} // namespace
} // namespace resident::test
