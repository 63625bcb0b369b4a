// Concerns: the longest that a call of the arena can take is bounded, in instructions, in whatever
// state the arena is; and no change makes it longer unnoticed.
// Plan: each call counted in the states that lead it through all of its branches: fresh, full, with
// free neighbours on neither side, one and both, fragmented by a random history, over-aligned. The
// sequences are the same in each run, so that the figures are. The limits leave room for compilers
// other than g++ 12 and clang 14.

#include <resident/resident.hpp>

#include "support/golden.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <string>
#include <vector>

namespace {

using namespace resident;
using namespace resident::literals;

class arena_bounds : public test::golden_test {};

constexpr std::size_t capacity = 2_MiB;
constexpr std::size_t granules = capacity / arena::granule_size;

class random_run_sizes {
public:
    std::uint32_t below(std::uint32_t bound) noexcept {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return static_cast<std::uint32_t>(state_ >> 33) % bound;
    }
    /// Each doubling up to `largest` is as likely as another.
    std::size_t size_up_to(std::size_t largest) noexcept {
        std::size_t size = largest;
        while (size > 4_KiB && below(2) == 0)
            size /= 2;
        return size - below(static_cast<std::uint32_t>(size / 2));
    }

private:
    std::uint64_t state_ = 1;
};

/// The two calls, with a note of their arguments.
struct measured_arena {
    os::stepper& stepper;
    arena memory{{.capacity = capacity, .on_fork = fork_policy::exclude}};

    void* allocate(const char* label, std::size_t bytes, std::size_t alignment = 4_KiB) {
        const std::string note = std::to_string(bytes) + " bytes aligned to " +
                                 std::to_string(alignment) + ", longest free run " +
                                 std::to_string(memory.statistics().largest_free_run);
        return stepper.measure(label, note, [&] {
            return memory.try_allocate(os::opaque(bytes), os::opaque(alignment));
        });
    }
    void deallocate(const char* label, void* run) {
        const auto offset = static_cast<std::byte*>(run) - memory.memory().data();
        stepper.measure(label, "granule " + std::to_string(offset / arena::granule_size),
                        [&] { memory.deallocate_run(os::opaque(run)); });
    }
    void expect_intact() const { EXPECT_EQ(memory.check(), nullptr); }
};

TEST_F(arena_bounds, granule_by_granule) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        measured_arena arena{stepper};
        std::vector<void*> runs(granules);
        for (void*& run : runs)
            ASSERT_NE(run = arena.allocate("allocate, fresh", 1), nullptr);
        for (int i = 0; i < 10; ++i)
            ASSERT_EQ(arena.allocate("allocate, full", 1), nullptr);
        for (std::size_t i = 0; i < granules; i += 4)
            arena.deallocate("deallocate, neighbours in use", runs[i]);
        for (std::size_t i = 1; i < granules; i += 4)
            arena.deallocate("deallocate, one neighbour free", runs[i]);
        for (std::size_t i = 3; i < granules; i += 4)
            arena.deallocate("deallocate, other neighbour free", runs[i]);
        for (std::size_t i = 2; i < granules; i += 4)
            arena.deallocate("deallocate, both neighbours free", runs[i]);
        arena.expect_intact();
        EXPECT_EQ(arena.memory.statistics().largest_free_run, capacity);
    });
    test::expect_golden(counts, "arena-granules",
                        {{"allocate, fresh", 210},
                         {"allocate, full", 210},
                         {"deallocate, neighbours in use", 105},
                         {"deallocate, one neighbour free", 135},
                         {"deallocate, other neighbour free", 115},
                         {"deallocate, both neighbours free", 160}});
}

/// A history over 64 places, full now and then; alignments of `alignments` doublings from 4 KiB on.
void churn(measured_arena& arena, std::uint32_t alignments) {
    std::array<void*, 64> runs{};
    random_run_sizes random;
    for (int i = 0; i < 1200; ++i) {
        void*& run = runs[random.below(runs.size())];
        if (run != nullptr) {
            arena.deallocate("deallocate", run);
            run = nullptr;
        } else {
            const std::size_t alignment = 4_KiB << random.below(alignments);
            run = arena.allocate("allocate", random.size_up_to(256_KiB), alignment);
        }
    }
    EXPECT_GT(arena.memory.statistics().failures, 0u); // exhaustion was part of it
    arena.expect_intact();
}

TEST_F(arena_bounds, fragmented) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        measured_arena arena{stepper};
        churn(arena, 1);
    });
    test::expect_golden(counts, "arena-fragmented", {{"allocate", 210}, {"deallocate", 160}});
}

TEST_F(arena_bounds, over_aligned) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        measured_arena arena{stepper};
        churn(arena, 9);
    });
    test::expect_golden(counts, "arena-over-aligned", {{"allocate", 365}, {"deallocate", 160}});
}

TEST_F(arena_bounds, as_a_memory_resource) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        arena memory{{.capacity = capacity}};
        std::pmr::memory_resource* resource = &memory;
        for (int i = 0; i < 100; ++i) {
            void* run =
                stepper.measure("allocate", [&] { return os::opaque(resource)->allocate(10'000); });
            stepper.measure("deallocate", [&] { os::opaque(resource)->deallocate(run, 10'000); });
        }
    });
    test::expect_golden(counts, "arena-resource", {{"allocate", 220}, {"deallocate", 140}});
}

} // namespace
