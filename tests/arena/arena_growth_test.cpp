// Concerns: growth adds proved memory in steps, merges with what is free, stops at max_capacity,
// and never happens inside allocate; the background grower keeps its watermark.
// Plan: explicit growth by counts; concurrent growth and allocation; the grower observed through
// statistics, waited for by state.

#include <resident/resident.hpp>

#include "os/mappings.hpp"
#include "support/failing_kernel.hpp"
#include "support/process_state.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace resident {
namespace {

using namespace resident::literals;

TEST(arena_growth, adds_whole_steps_up_to_the_maximum) {
    arena memory{{.capacity = 1_MiB, .max_capacity = 8_MiB}};
    EXPECT_EQ(memory.grow(0), 0u);
    EXPECT_EQ(memory.grow(1), 1_MiB); // to the next multiple of 2 MiB
    EXPECT_EQ(memory.statistics().capacity, 2_MiB);
    EXPECT_EQ(memory.grow(3_MiB), 4_MiB);
    EXPECT_EQ(memory.grow(~std::size_t{0}), 2_MiB);
    EXPECT_EQ(memory.grow(2_MiB), 0u);
    EXPECT_EQ(memory.statistics().capacity, 8_MiB);
    EXPECT_EQ(memory.statistics().growth_failures, 0u);
    EXPECT_EQ(memory.statistics().largest_free_run, 8_MiB);
    EXPECT_TRUE(memory.verify()->resident);
    EXPECT_EQ(memory.verify()->size, memory.statistics().resident);
    EXPECT_EQ(memory.check(), nullptr);
    void* all = memory.try_allocate(8_MiB);
    EXPECT_EQ(all, memory.memory().data());
}

TEST(arena_growth, never_happens_inside_allocate) {
    arena memory{{.capacity = 1_MiB, .max_capacity = 8_MiB}};
    test::failing_kernel kernel;
    const os::kernel_replacement in_force(kernel);
    EXPECT_EQ(memory.try_allocate(2_MiB), nullptr);
    EXPECT_EQ(kernel.calls(), 0u);
    EXPECT_EQ(memory.statistics().capacity, 1_MiB);
}

TEST(arena_growth, grown_chunks_merge_into_one_mapping) {
    arena memory{{.capacity = 2_MiB, .max_capacity = 32_MiB, .pages = page_kind::base}};
    for (int step = 0; step < 8; ++step)
        ASSERT_EQ(memory.grow(2_MiB), 2_MiB);
    os::mapping_summary summary;
    const auto range = memory.memory();
    ASSERT_TRUE(os::summarize_mappings(range.data(), range.size(), summary));
    EXPECT_EQ(summary.mappings, 1u);
    EXPECT_EQ(summary.beyond, 0u);
}

TEST(arena_growth, what_was_charged_is_what_statistics_say) {
    const std::size_t before = test::vm_locked_bytes();
    arena memory{{.capacity = 2_MiB, .max_capacity = 1_GiB}};
    for (const std::size_t bytes : {2_MiB, 64_MiB, 6_MiB}) {
        memory.grow(bytes);
        EXPECT_EQ(test::vm_locked_bytes() - before, memory.statistics().locked);
    }
}

TEST(arena_growth, other_threads_allocate_meanwhile) {
    arena memory{{.capacity = 2_MiB, .max_capacity = 66_MiB}};
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i)
        threads.emplace_back([&] {
            while (!stop) {
                if (void* run = memory.try_allocate(100'000))
                    memory.deallocate_run(run);
            }
        });
    for (int i = 0; i < 2; ++i)
        threads.emplace_back([&] {
            while (memory.grow(2_MiB) != 0) {
            }
        });
    threads[2].join();
    threads[3].join();
    stop = true;
    threads[0].join();
    threads[1].join();
    EXPECT_EQ(memory.statistics().capacity, 66_MiB);
    EXPECT_EQ(memory.statistics().in_use, 0u);
    EXPECT_EQ(memory.check(), nullptr);
    EXPECT_TRUE(memory.verify()->resident);
}

/// Waits for a state; the tests' overall timeout is the bound.
template <class Condition>
void wait_until(Condition holds) {
    while (!holds())
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
}

TEST(arena_growth, the_background_grower_keeps_its_watermark) {
    arena memory{{.capacity = 2_MiB,
                  .max_capacity = 32_MiB,
                  .growth = {.keep_free = 4_MiB, .poll_interval = std::chrono::milliseconds{1}}}};
    const auto free_bytes = [&] {
        const auto now = memory.statistics();
        return now.capacity - now.in_use;
    };
    wait_until([&] { return free_bytes() >= 4_MiB; });
    void* run = memory.try_allocate(4_MiB);
    ASSERT_NE(run, nullptr);
    wait_until([&] { return free_bytes() >= 4_MiB; });
    const std::size_t grown = memory.statistics().capacity;
    EXPECT_GE(grown, 8_MiB);
    EXPECT_LE(grown, 10_MiB);
    memory.deallocate_run(run);
    EXPECT_TRUE(memory.verify()->resident);
}

TEST(arena_growth, the_background_grower_counts_refusals_and_goes_on) {
    test::failing_kernel kernel;
    const os::kernel_replacement in_force(kernel);
    arena memory{{.capacity = 2_MiB,
                  .max_capacity = 8_MiB,
                  .growth = {.keep_free = 1_MiB, .poll_interval = std::chrono::milliseconds{1}}}};
    kernel.fail(test::failing_kernel::call::lock_on_fault, 0, EAGAIN);
    void* run = memory.try_allocate(2_MiB);
    wait_until([&] { return memory.statistics().growth_failures >= 2; });
    EXPECT_EQ(memory.statistics().capacity, 2_MiB);
    kernel.reset();
    wait_until([&] { return memory.statistics().capacity == 4_MiB; });
    memory.deallocate_run(run);
}

TEST(arena_growth, the_background_grower_ends_with_the_arena) {
    test::failing_kernel kernel;
    const os::kernel_replacement in_force(kernel);
    { const arena first; } // the registry of locked pages keeps the memory of its first use
    const std::size_t mapped = kernel.mapped_bytes();
    const std::size_t locked = test::vm_locked_bytes();
    for (int i = 0; i < 20; ++i)
        const arena memory{
            {.capacity = 1_MiB, .max_capacity = 16_MiB, .growth = {.keep_free = 8_MiB}}};
    EXPECT_EQ(kernel.running_threads(), 0);
    EXPECT_EQ(kernel.mapped_bytes(), mapped);
    EXPECT_EQ(test::vm_locked_bytes(), locked);
}

} // namespace
} // namespace resident
