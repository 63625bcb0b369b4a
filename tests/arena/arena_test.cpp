// Concerns: what a user of arena relies on once it stands: memory that is there, aligned, disjoint,
// reusable; counters that add up; bad frees that are told apart; containers that work on it.
// Plan: direct calls against arena.hpp line by line, then std::pmr containers and resources, then
// several threads; misuse in forked children with the exact message.

#include <resident/resident.hpp>

#include "support/build.hpp"
#include "support/child.hpp"
#include "support/process_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <memory_resource>
#include <random>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace resident {
namespace {

using namespace resident::literals;
using testing::HasSubstr;

bool is_aligned(const void* address, std::size_t alignment) {
    return reinterpret_cast<std::uintptr_t>(address) % alignment == 0;
}

TEST(arena, is_resident_locked_and_proved) {
    arena memory{{.capacity = 1_MiB, .name = "proved"}};
    const auto proof = memory.verify();
    ASSERT_TRUE(proof);
    EXPECT_TRUE(proof->resident);
    EXPECT_EQ(proof->size, memory.statistics().resident);
    EXPECT_EQ(proof->rss, proof->size);
    EXPECT_EQ(proof->locked, proof->size);
    EXPECT_LE(proof->write_faults, test::runtime_faults(16));
    EXPECT_TRUE(memory.locked());
    EXPECT_EQ(memory.degradation(), nullptr);
    EXPECT_STREQ(memory.name(), "proved");
    const auto map = memory.map();
    ASSERT_TRUE(map);
    EXPECT_TRUE(map->all_resident());
    EXPECT_EQ(map->size(), 1_MiB / map->page_size());
}

TEST(arena, is_charged_what_memlock_needed_says_and_gives_it_back) {
    const auto before = test::process_state::now();
    for (const std::size_t capacity : {4_KiB, 1_MiB, default_arena_capacity, 33_MiB}) {
        const arena_options options{.capacity = capacity, .pages = page_kind::base};
        arena memory{options};
        EXPECT_EQ(test::vm_locked_bytes() - before.locked_bytes, arena::memlock_needed(options));
        EXPECT_EQ(memory.statistics().locked, arena::memlock_needed(options));
    }
    EXPECT_EQ(test::process_state::now(), before);
}

TEST(arena, fits_an_ordinary_users_limit_by_default) {
    EXPECT_LT(arena::memlock_needed({}), 8_MiB);
}

TEST(arena, bookkeeping_is_small) {
    EXPECT_LT(arena::memlock_needed({.capacity = 64_MiB}) - 64_MiB, 64_MiB / 160);
}

TEST(arena, hands_out_every_byte_once) {
    arena memory{{.capacity = 1_MiB}};
    std::vector<void*> runs;
    while (void* run = memory.try_allocate(1)) {
        std::memset(run, static_cast<int>(runs.size()), arena::granule_size);
        runs.push_back(run);
    }
    EXPECT_EQ(runs.size(), 1_MiB / arena::granule_size);
    EXPECT_EQ(memory.statistics().largest_free_run, 0u);
    for (std::size_t i = 0; i < runs.size(); ++i)
        EXPECT_EQ(static_cast<unsigned char*>(runs[i])[arena::granule_size - 1],
                  static_cast<unsigned char>(i));
    for (void* run : runs)
        memory.deallocate_run(run);
    EXPECT_EQ(memory.statistics().largest_free_run, 1_MiB);
    EXPECT_EQ(memory.check(), nullptr);
}

TEST(arena, counts_what_happens) {
    arena memory{{.capacity = 1_MiB}};
    void* first = memory.allocate(10'000);
    EXPECT_EQ(memory.statistics().in_use, 12_KiB);
    EXPECT_EQ(memory.statistics().runs_in_use, 1u);
    EXPECT_EQ(memory.try_allocate(1_MiB), nullptr);
    EXPECT_EQ(memory.statistics().failures, 1u);
    memory.deallocate(first, 10'000);
    const arena_statistics after = memory.statistics();
    EXPECT_EQ(after.in_use, 0u);
    EXPECT_EQ(after.peak_in_use, 12_KiB);
    EXPECT_EQ(after.capacity, 1_MiB);
    EXPECT_EQ(after.max_capacity, 1_MiB);
    EXPECT_EQ(after.resident, 1_MiB + after.bookkeeping);
}

TEST(arena, aligns_from_1_byte_to_2_MiB_and_beyond) {
    arena memory{{.capacity = 8_MiB}};
    for (std::size_t alignment = 1; alignment <= 4_MiB; alignment *= 2) {
        for (const std::size_t bytes : {std::size_t{1}, 5000 * std::size_t{1}, 2_MiB}) {
            void* hole = memory.try_allocate(1);
            void* run = memory.try_allocate(bytes, alignment);
            ASSERT_NE(run, nullptr) << bytes << " at " << alignment;
            EXPECT_TRUE(is_aligned(run, alignment));
            memory.deallocate_run(run);
            memory.deallocate_run(hole);
        }
    }
    EXPECT_EQ(memory.check(), nullptr);
}

TEST(arena, refuses_what_cannot_be) {
    arena memory{{.capacity = 1_MiB}};
    EXPECT_EQ(memory.try_allocate(8, 3), nullptr);
    EXPECT_EQ(memory.try_allocate(8, 0), nullptr);
    EXPECT_EQ(memory.try_allocate(~std::size_t{0}), nullptr);
    EXPECT_EQ(memory.try_allocate(~std::size_t{0} - 4095, 4096), nullptr);
    EXPECT_EQ(memory.try_allocate(8, std::size_t{1} << 63), nullptr);
    EXPECT_EQ(memory.statistics().failures, 5u);
    void* none = memory.try_allocate(0);
    EXPECT_NE(none, nullptr);
    memory.deallocate(none, 0);
    EXPECT_EQ(memory.statistics().in_use, 0u);
}

#if defined(__cpp_exceptions)
TEST(arena, allocate_throws_bad_alloc_and_changes_nothing) {
    arena memory{{.capacity = 1_MiB}};
    std::pmr::vector<int> numbers(1000, 7, &memory);
    EXPECT_THROW(numbers.resize(1'000'000), std::bad_alloc);
    EXPECT_EQ(numbers.size(), 1000u);
    EXPECT_EQ(numbers.back(), 7);
    EXPECT_EQ(memory.statistics().failures, 1u);
}
#endif

TEST(arena, largest_free_run_can_be_had) {
    arena memory{{.capacity = 16_MiB}};
    std::mt19937 random(7);
    std::vector<void*> runs;
    for (int step = 0; step < 500; ++step) {
        if (void* run = memory.try_allocate(random() % 200'000))
            runs.push_back(run);
        if (random() % 3 == 0 && !runs.empty()) {
            std::swap(runs[random() % runs.size()], runs.back());
            memory.deallocate_run(runs.back());
            runs.pop_back();
        }
        if (const std::size_t largest = memory.statistics().largest_free_run) {
            void* run = memory.try_allocate(largest);
            ASSERT_NE(run, nullptr);
            memory.deallocate_run(run);
        }
    }
}

TEST(arena, owns_its_capacity_and_nothing_else) {
    arena memory{{.capacity = 1_MiB, .max_capacity = 8_MiB}};
    const auto range = memory.memory();
    EXPECT_EQ(range.size(), 1_MiB);
    EXPECT_TRUE(memory.owns(range.data()));
    EXPECT_TRUE(memory.owns(range.data() + range.size() - 1));
    EXPECT_FALSE(memory.owns(range.data() + range.size()));
    EXPECT_FALSE(memory.owns(range.data() - 1));
    EXPECT_FALSE(memory.owns(nullptr));
    EXPECT_FALSE(memory.owns(&memory));
}

TEST(arena, compares_equal_to_itself_alone) {
    arena one{{.capacity = 1_MiB}};
    arena other{{.capacity = 1_MiB}};
    EXPECT_TRUE(one.is_equal(one));
    EXPECT_FALSE(one.is_equal(other));
}

TEST(arena, carries_the_containers_and_resources_of_std_pmr) {
    arena memory;
    {
        std::pmr::unsynchronized_pool_resource pool(&memory);
        std::pmr::unordered_map<int, std::pmr::string> table(&pool);
        for (int i = 0; i < 1000; ++i)
            table[i] = "a value that is too long for the small string " + std::to_string(i);
        EXPECT_EQ(table.size(), 1000u);
        EXPECT_GT(memory.statistics().in_use, 0u);
        std::pmr::monotonic_buffer_resource buffer(&memory);
        std::pmr::string text(100'000, 'x', &buffer);
        EXPECT_TRUE(memory.owns(text.data()));
    }
    EXPECT_EQ(memory.statistics().in_use, 0u);
    EXPECT_EQ(memory.check(), nullptr);
}

TEST(arena, serves_many_threads_at_once) {
    arena memory{{.capacity = 8_MiB}};
    const auto churn = [&memory](unsigned seed) {
        std::mt19937 random(seed);
        std::vector<std::pair<std::byte*, std::size_t>> runs;
        for (int step = 0; step < 4000; ++step) {
            const std::size_t bytes = 1 + random() % 40'000;
            if (auto* run = static_cast<std::byte*>(memory.try_allocate(bytes))) {
                run[0] = run[bytes - 1] = static_cast<std::byte>(seed);
                runs.emplace_back(run, bytes);
            }
            if (runs.size() > 20) {
                const auto [run, size] = runs[random() % runs.size()];
                std::swap(*std::find(runs.begin(), runs.end(), std::pair{run, size}), runs.back());
                EXPECT_EQ(run[0], static_cast<std::byte>(seed));
                EXPECT_EQ(run[size - 1], static_cast<std::byte>(seed));
                memory.deallocate(run, size);
                runs.pop_back();
            }
        }
        for (const auto& [run, size] : runs)
            memory.deallocate(run, size);
    };
    std::vector<std::thread> threads;
    for (unsigned seed = 1; seed <= 4; ++seed)
        threads.emplace_back(churn, seed);
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(memory.statistics().in_use, 0u);
    EXPECT_EQ(memory.check(), nullptr);
}

TEST(arena, create_returns_the_arena_in_place) {
    auto made = arena::create({.capacity = 1_MiB});
    ASSERT_TRUE(made);
    EXPECT_NE(made->try_allocate(100), nullptr);
    EXPECT_EQ((*made).statistics().in_use, arena::granule_size);
}

TEST(arena, reports_progress_from_nothing_to_all) {
    std::vector<std::size_t> populated;
    arena memory{{.capacity = 7_MiB, .pages = page_kind::base, .progress = [&](const auto& now) {
                      EXPECT_EQ(now.total, 7_MiB);
                      populated.push_back(now.populated);
                  }}};
    EXPECT_EQ(populated, (std::vector<std::size_t>{0, 2_MiB, 4_MiB, 6_MiB, 7_MiB}));
}

#if defined(__cpp_exceptions)
TEST(arena, a_throwing_progress_callback_abandons_the_set_up) {
    const auto before = test::process_state::now();
    struct enough {};
    for (const std::size_t last : {0_MiB, 2_MiB, 6_MiB}) {
        const auto stop = [last](const arena_progress& now) {
            if (now.populated == last)
                throw enough{};
        };
        EXPECT_THROW((arena{{.capacity = 6_MiB, .pages = page_kind::base, .progress = stop}}),
                     enough);
        EXPECT_EQ(test::process_state::now(), before);
    }
}
#endif

struct bad_free {
    const char* message;
    void (*commit)(arena& memory);
};
class arena_misuse : public testing::TestWithParam<bad_free> {};

TEST_P(arena_misuse, aborts_with_a_message_that_tells_what) {
    const auto child = test::run_in_child({}, [] {
        arena memory{{.capacity = 1_MiB, .name = "mine"}};
        GetParam().commit(memory);
    });
    EXPECT_FALSE(child.exited);
    EXPECT_EQ(child.signal, SIGABRT);
    EXPECT_THAT(child.output, HasSubstr("resident: arena \"mine\": deallocate(0x"));
    EXPECT_THAT(child.output, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    arena, arena_misuse,
    testing::Values(bad_free{"not memory of this arena",
                             [](arena& memory) {
                                 static int foreign;
                                 memory.deallocate_run(&foreign);
                             }},
                    bad_free{"no run in use begins here (freed twice?)",
                             [](arena& memory) {
                                 void* run = memory.allocate(100);
                                 memory.deallocate_run(run);
                                 memory.deallocate_run(run);
                             }},
                    bad_free{"no run in use begins here (freed twice?)",
                             [](arena& memory) {
                                 auto* run = static_cast<std::byte*>(
                                     memory.allocate(3 * arena::granule_size));
                                 memory.deallocate_run(run + arena::granule_size);
                             }},
                    bad_free{"no run in use begins here (freed twice?)",
                             [](arena& memory) {
                                 memory.deallocate_run(
                                     static_cast<std::byte*>(memory.allocate(100)) + 8);
                             }},
                    bad_free{"the run was allocated with another size", [](arena& memory) {
                                 memory.deallocate(memory.allocate(100), 10'000);
                             }}));

} // namespace
} // namespace resident
