// Concerns: the longest that a call of the concurrent pool can take is bounded, in instructions,
// whoever owns the block and whatever other threads have done before.
// Plan: one thread's calls counted: its own blocks, fresh and warm, as the first pool's; blocks of
// another thread's lane that it frees, until lists, depot and inboxes are full; its own that come
// back from there. The other threads are at rest meanwhile, so the figures are the same in each
// run.

#include <resident/resident.hpp>
#include <resident/synchronized_pool_resource.hpp>

#include "bounds/histories.hpp"
#include "support/golden.hpp"

#include <string>
#include <thread>
#include <vector>

namespace {

using namespace resident;
using namespace resident::literals;
using test::live_block;
using test::random_numbers;

class lanes_bounds : public test::golden_test {};

struct measured_lane {
    os::stepper& stepper;
    arena memory{{.capacity = 64_MiB, .lock = lock_policy::off}};
    synchronized_pool_resource pool{memory};
    std::vector<live_block> live{};
    std::string phase{};

    void allocate(std::size_t bytes) {
        void* const address = stepper.measure(phase + "allocate", std::to_string(bytes) + " bytes",
                                              [&] { return pool.try_allocate(os::opaque(bytes)); });
        ASSERT_NE(address, nullptr);
        live.push_back({address, bytes});
    }
    void deallocate(std::size_t place) {
        const live_block freed = live[place];
        live[place] = live.back();
        live.pop_back();
        stepper.measure(phase + "deallocate", std::to_string(freed.bytes) + " bytes", [&] {
            pool.deallocate(os::opaque(freed.address), os::opaque(freed.bytes));
        });
    }
    void replace(random_numbers& random) {
        deallocate(random.below(static_cast<std::uint32_t>(live.size())));
        allocate(random.size_up_to(16_KiB));
    }
    /// Another thread, with a lane of its own, allocates `count` blocks.
    void allocate_elsewhere(random_numbers& random, int count) {
        std::thread([&] {
            for (int i = 0; i < count; ++i) {
                const std::size_t bytes = random.size_up_to(16_KiB);
                live.push_back({pool.try_allocate(bytes), bytes});
                ASSERT_NE(live.back().address, nullptr);
            }
        }).join();
    }
    void free_elsewhere(std::size_t left) {
        std::thread([&] {
            while (live.size() > left) {
                pool.deallocate(live.back().address, live.back().bytes);
                live.pop_back();
            }
        }).join();
    }
    void expect_intact() const {
        EXPECT_EQ(pool.check(), nullptr);
        EXPECT_EQ(memory.check(), nullptr);
        EXPECT_EQ(pool.guarded_calls(), 0u);
    }
};

TEST_F(lanes_bounds, of_a_thread_by_itself) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        measured_lane lane{stepper};
        ASSERT_TRUE(lane.pool.attach_this_thread());
        random_numbers random(1);
        lane.phase = "fresh, ";
        for (int i = 0; i < 600; ++i)
            lane.allocate(random.size_up_to(16_KiB));
        lane.phase = "warm, ";
        for (int i = 0; i < 3000; ++i)
            lane.replace(random);
        lane.expect_intact();
    });
    test::expect_golden(
        counts, "lanes-own",
        {{"fresh, allocate", 450}, {"warm, allocate", 450}, {"warm, deallocate", 450}});
}

TEST_F(lanes_bounds, of_blocks_that_move_between_threads) {
    const auto counts = test::count_instructions([](os::stepper& stepper) {
        measured_lane lane{stepper};
        ASSERT_TRUE(lane.pool.attach_this_thread());
        random_numbers random(2);
        for (int time = 0; time < 3; ++time) {
            lane.allocate_elsewhere(random, 1500);
            lane.phase = "of another thread, ";
            while (!lane.live.empty())
                lane.deallocate(random.below(static_cast<std::uint32_t>(lane.live.size())));
            lane.phase = "own, freed by another, ";
            for (int i = 0; i < 1000; ++i)
                lane.allocate(random.size_up_to(16_KiB));
            lane.free_elsewhere(500);
            for (int i = 0; i < 1000; ++i)
                lane.replace(random);
            lane.free_elsewhere(0);
        }
        lane.expect_intact();
    });
    test::expect_golden(counts, "lanes-between-threads",
                        {{"of another thread, deallocate", 650},
                         {"own, freed by another, allocate", 650},
                         {"own, freed by another, deallocate", 500}});
}

} // namespace
