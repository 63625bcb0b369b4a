// Concerns: the longest that a call of the pool can take is bounded, in instructions, in whatever
// state the pool is; fresh memory costs no more than warm; no change makes a call longer unnoticed.
// Plan: each call counted over histories that lead through fresh, warm, full and fragmented states;
// then a search: many random histories with phases of their own, each a mixture of sizes that grow
// and shrink at different rates, in an arena that they fill now and then, and the worst of all. The
// sequences are the same in each run, so that the figures are. RESIDENT_BOUNDS_HISTORIES says how
// many histories are searched; without it only those are played in which a search of 140 found the
// longest calls.

#include <resident/resident.hpp>

#include "bounds/histories.hpp"
#include "support/golden.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <string>
#include <vector>

namespace {

using namespace resident;
using namespace resident::literals;
using test::live_block;
using test::random_numbers;

class pool_bounds : public test::golden_test {};

/// The two calls, with a note of their arguments; the histories' one interface.
struct measured_pool {
    os::stepper& stepper;
    std::size_t capacity;
    arena memory{{.capacity = capacity, .lock = lock_policy::off}};
    unsynchronized_pool_resource pool{memory};
    std::vector<live_block> live{};
    bool measures = true;
    std::string phase{};
    std::string origin{}; ///< for the note

    /// The size of a block decides what the call is allowed to take.
    [[nodiscard]] static const char* kind_of(std::size_t bytes) noexcept {
        return bytes <= unsynchronized_pool_resource::largest_block ? "" : "run, ";
    }
    bool allocate(std::size_t bytes) {
        void* address = nullptr;
        if (!measures) {
            address = pool.try_allocate(bytes);
        } else {
            address = stepper.measure(label("allocate", bytes), note(bytes),
                                      [&] { return pool.try_allocate(os::opaque(bytes)); });
        }
        if (address != nullptr)
            live.push_back({address, bytes});
        return address != nullptr;
    }
    void deallocate(std::size_t place) {
        const live_block freed = live[place];
        live[place] = live.back();
        live.pop_back();
        if (!measures)
            return pool.deallocate(freed.address, freed.bytes);
        stepper.measure(label("deallocate", freed.bytes), note(freed.bytes), [&] {
            pool.deallocate(os::opaque(freed.address), os::opaque(freed.bytes));
        });
    }
    /// A request that may find the arena used up has a label by itself, because only then
    /// everything cached is looked through.
    std::string label(const char* call, std::size_t bytes) const {
        const bool scarce = *call == 'a' && memory.statistics().largest_free_run < bytes + 4_KiB;
        return phase + kind_of(bytes) + call + (scarce ? ", arena used up" : "");
    }
    std::string note(std::size_t bytes) const { return std::to_string(bytes) + " bytes" + origin; }
    void expect_intact() const {
        EXPECT_EQ(pool.check(), nullptr);
        EXPECT_EQ(memory.check(), nullptr);
    }
};

TEST_F(pool_bounds, log_mix) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        measured_pool heap{stepper, 64_MiB};
        random_numbers random(1);
        heap.phase = "fresh, ";
        for (int i = 0; i < 600; ++i)
            ASSERT_TRUE(heap.allocate(random.size_up_to(16_KiB)));
        heap.measures = false;
        for (int i = 0; i < 6000; ++i) {
            heap.deallocate(random.below(static_cast<std::uint32_t>(heap.live.size())));
            ASSERT_TRUE(heap.allocate(random.size_up_to(16_KiB)));
        }
        heap.measures = true;
        heap.phase = "warm, ";
        for (int i = 0; i < 600; ++i) {
            heap.deallocate(random.below(static_cast<std::uint32_t>(heap.live.size())));
            ASSERT_TRUE(heap.allocate(random.size_up_to(16_KiB)));
        }
        heap.expect_intact();
    });
    test::expect_golden(
        counts, "pool-log-mix",
        {{"fresh, allocate", 300}, {"warm, allocate", 300}, {"warm, deallocate", 350}});
}

TEST_F(pool_bounds, size_known_when_compiling) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        arena memory{{.capacity = 64_MiB, .lock = lock_policy::off}};
        unsynchronized_pool_resource pool{memory};
        allocator<std::array<char, 48>> nodes{pool};
        std::vector<std::array<char, 48>*> live(300);
        for (int round = 0; round < 2; ++round) {
            for (auto& node : live)
                node = stepper.measure("allocate", [&] { return nodes.allocate(1); });
            for (auto& node : live)
                stepper.measure("deallocate", [&] { nodes.deallocate(os::opaque(node), 1); });
        }
    });
    test::expect_golden(counts, "pool-allocator", {{"allocate", 275}, {"deallocate", 12}});
}

/// One of the histories searched: phases that grow or shrink, each with sizes of its own.
void play(measured_pool& heap, std::uint64_t seed) {
    random_numbers random(seed);
    const std::uint32_t operations = 60'000 + random.below(60'000);
    const std::uint32_t measured_from = operations - 250;
    std::uint32_t phase_end = 0;
    std::uint32_t growth = 50;
    std::size_t smallest = 16;
    std::size_t largest = 64_KiB;
    for (std::uint32_t done = 0; done < operations; ++done) {
        heap.measures = done >= measured_from;
        if (done >= phase_end) {
            phase_end = done + 25 + random.below(heap.measures ? 50 : 8000);
            growth = 20 + random.below(60);
            smallest = random.size_up_to(8_KiB);
            largest = smallest * (1 + random.below(3) * random.below(40)) + 16;
            if (random.below(10) == 0)
                largest = 300_KiB;
        }
        if (random.below(100) < growth || heap.live.empty()) {
            const std::size_t bytes = smallest + random.size_up_to(largest) % (largest - smallest);
            if (!heap.allocate(bytes))
                growth = random.below(3) == 0 ? 5 : growth;
        } else {
            heap.deallocate(random.below(static_cast<std::uint32_t>(heap.live.size())));
        }
    }
    heap.expect_intact();
}

TEST_F(pool_bounds, worst_of_the_histories_searched) {
    std::vector<std::uint64_t> seeds{1, 2, 10, 19, 25, 36, 41, 42, 57, 70, 86, 113};
    if (const char* const wanted = std::getenv("RESIDENT_BOUNDS_HISTORIES")) {
        seeds.resize(std::strtoull(wanted, nullptr, 10));
        std::iota(seeds.begin(), seeds.end(), 1);
    }
    const auto counts = test::count_instructions([&](os::stepper& stepper) {
        for (const std::uint64_t seed : seeds) {
            measured_pool heap{stepper, seed % 2 == 0 ? 2_MiB : 32_MiB};
            heap.origin = " in history " + std::to_string(seed);
            play(heap, seed);
        }
    });
    test::expect_golden(counts, "pool-searched",
                        {{"allocate", 410},
                         {"allocate, arena used up", 30000},
                         {"deallocate", 550},
                         {"run, allocate", 250},
                         {"run, allocate, arena used up", 120000},
                         {"run, deallocate", 250}});
}

TEST_F(pool_bounds, larger_than_any_block) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        measured_pool heap{stepper, 32_MiB};
        random_numbers random(2);
        for (int i = 0; i < 200; ++i) {
            if (random.below(2) == 0 || heap.live.empty())
                heap.allocate(64_KiB + 1 + random.below(1_MiB));
            else
                heap.deallocate(random.below(static_cast<std::uint32_t>(heap.live.size())));
        }
        heap.expect_intact();
    });
    test::expect_golden(counts, "pool-runs", {{"run, allocate", 250}, {"run, deallocate", 250}});
}

// What a program calls beside the two, or calls them with an unusual argument.
TEST_F(pool_bounds, other_calls) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        measured_pool heap{stepper, 32_MiB};
        unsynchronized_pool_resource& pool = heap.pool;
        random_numbers random(4);
        heap.measures = false;
        for (int i = 0; i < 400; ++i)
            ASSERT_TRUE(heap.allocate(random.size_up_to(128_KiB)));
        for (int i = 0; i < 200; ++i)
            heap.deallocate(random.below(static_cast<std::uint32_t>(heap.live.size())));
        for (const live_block& each : heap.live) {
            stepper.measure("usable_size", [&] { return pool.usable_size(each.address); });
            stepper.measure("owns", [&] { return pool.owns(each.address); });
        }
        stepper.measure("statistics", [&] { return pool.statistics().in_use; });
        for (const live_block& each : heap.live)
            stepper.measure("deallocate, no size", [&] { pool.deallocate(each.address); });
        heap.live.clear();
        for (const std::size_t alignment :
             {std::size_t{64}, std::size_t{512}, 4_KiB, 64_KiB, 2_MiB}) {
            const std::string kind = alignment > 4_KiB ? "run, aligned to " : "aligned to ";
            void* const block = stepper.measure("allocate, " + kind + "more", [&] {
                return pool.try_allocate(os::opaque(std::size_t{100}), os::opaque(alignment));
            });
            ASSERT_NE(block, nullptr);
            stepper.measure("deallocate, " + kind + "more", [&] {
                pool.deallocate(os::opaque(block), os::opaque(std::size_t{100}),
                                os::opaque(alignment));
            });
        }
        heap.expect_intact();
    });
    test::expect_golden(counts, "pool-other-calls",
                        {{"usable_size", 30},
                         {"owns", 40},
                         {"statistics", 9500},
                         {"deallocate, no size", 500},
                         {"allocate, aligned to more", 300},
                         {"deallocate, aligned to more", 300},
                         {"allocate, run, aligned to more", 350},
                         {"deallocate, run, aligned to more", 250}});
}

// Once, everything that is cached in any class is given back; from then on there is nothing.
TEST_F(pool_bounds, arena_used_up) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        measured_pool heap{stepper, 2_MiB};
        random_numbers random(3);
        heap.measures = false;
        while (heap.memory.statistics().largest_free_run > 16_KiB)
            ASSERT_TRUE(heap.allocate(random.size_up_to(8_KiB)));
        heap.measures = true;
        while (heap.pool.statistics().failures < 20)
            heap.allocate(random.size_up_to(8_KiB));
        heap.expect_intact();
    });
    test::expect_golden(counts, "pool-used-up",
                        {{"allocate", 450}, {"allocate, arena used up", 100000}});
}

// The longest call there is: every class has as many free blocks as it may keep, and the request
// finds none of them.
TEST_F(pool_bounds, arena_used_up_and_every_list_full) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        measured_pool heap{stepper, 8_MiB};
        heap.measures = false;
        for (std::size_t bytes = 16; bytes <= 2720; bytes += bytes < 1024 ? 16 : 32) {
            const std::size_t cached = 8_KiB / bytes; // 1/1024 of the arena
            for (std::size_t block = 0; block < cached; ++block)
                ASSERT_TRUE(heap.allocate(bytes));
            while (!heap.live.empty())
                heap.deallocate(heap.live.size() - 1);
        }
        heap.measures = true;
        const pool_statistics before = heap.pool.statistics();
        EXPECT_FALSE(heap.allocate(8_MiB - 4_KiB));
        std::size_t blocks = 0;
        for (const size_class_statistics& each : before.classes)
            blocks += each.cached;
        EXPECT_GT(blocks, 2500u);
        std::printf("%zu blocks were free in lists\n", blocks);
        heap.expect_intact();
    });
    test::expect_golden(counts, "pool-full-lists", {{"run, allocate, arena used up", 180000}});
}

} // namespace
