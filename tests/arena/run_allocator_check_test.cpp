// Concerns: check() finds whatever is wrong with the run allocator's bookkeeping.
// Plan: every field corrupted, one at a time, and the very complaint expected.

#include "arena/managed_runs.hpp"

#include <gtest/gtest.h>

namespace resident::detail {
namespace {

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
    struct corruption {
        const char* found;
        void (*corrupt)(run_allocator& runs);
    };
    constexpr std::uint32_t in_use = run_links::in_use;
    constexpr std::uint32_t begins = run_links::begins_used_run;
    const corruption corruptions[] = {
        {"a run has length 0",
         [](auto& runs) { inspect::granule(runs, 0).state = run_links::used_first; }},
        {"a run reaches beyond the arena",
         [](auto& runs) { inspect::granule(runs, 20).state = 13; }},
        {"the ends of a free run disagree on its length",
         [](auto& runs) { inspect::granule(runs, 7).state = 5; }},
        {"the ends of a run disagree on its use",
         [](auto& runs) { inspect::granule(runs, 3).state &= ~in_use; }},
        {"a run's begin mark disagrees with its use",
         [](auto& runs) { inspect::granule(runs, 0).state &= ~begins; }},
        {"a run's begin mark disagrees with its use",
         [](auto& runs) { inspect::granule(runs, 4).state |= begins; }},
        {"a begin mark lies inside a run",
         [](auto& runs) { inspect::granule(runs, 2).state |= begins; }},
        {"two free runs are neighbours",
         [](auto& runs) {
             inspect::granule(runs, 8).state = 4;
             inspect::granule(runs, 11).state = 4;
         }},
        {"a mark beyond the ends is missing", [](auto& runs) { inspect::end(runs).state = 0; }},
        {"a mark beyond the ends is missing", [](auto& runs) { inspect::before(runs).state = 0; }},
        {"a list's bit is wrong", [](auto& runs) { inspect::list(runs, 4).state = 2; }},
        {"the count of granules in use is wrong", [](auto& runs) { ++inspect::in_use(runs); }},
        {"the count of runs in use is wrong", [](auto& runs) { ++inspect::runs_in_use(runs); }},
        {"the peak is out of range", [](auto& runs) { inspect::peak(runs) = 33; }},
        {"a word bit is wrong", [](auto& runs) { inspect::word_bits(runs) ^= 1u << 3; }},
        {"a word bit is wrong", [](auto& runs) { inspect::word_bits(runs) ^= 1u << 31; }},
        {"a class bit is wrong",
         [](auto& runs) {
             const std::uint32_t of_nine = run_classes::class_of(9);
             inspect::class_bits(runs)[of_nine / 32] ^= 1u << of_nine % 32;
         }},
        {"a class bit beyond the last is set",
         [](auto& runs) {
             inspect::class_bits(runs)[31] = 1;
             inspect::word_bits(runs) |= 1u << 31;
         }},
        {"a list leads out of the arena", [](auto& runs) { inspect::list(runs, 4).next = 6000; }},
        {"a list leads out of the arena", [](auto& runs) { ++inspect::list(runs, 4).next; }},
        {"a list leads out of the arena", [](auto& runs) { inspect::list(runs, 4).next = 0; }},
        {"a run in use is in a free list",
         [](auto& runs) { inspect::list(runs, 4).next = inspect::link(runs, 0); }},
        {"a free run is in the list of another class",
         [](auto& runs) { inspect::list(runs, 4).next = inspect::link(runs, 20); }},
        {"a back link is wrong",
         [](auto& runs) { inspect::granule(runs, 12).previous = inspect::link(runs, 4); }},
        {"a back link is wrong", [](auto& runs) { inspect::list(runs, 4).previous = 0; }},
        {"a free run is in no list",
         [](auto& runs) {
             inspect::granule(runs, 12).next = inspect::granule(runs, 4).next;
             inspect::list(runs, 4).previous = inspect::link(runs, 12);
         }},
        {"a list leads out of the arena",
         [](auto& runs) { inspect::granule(runs, 4).next = none; }},
    };
    for (const corruption& each : corruptions) {
        SCOPED_TRACE(each.found);
        scene at;
        each.corrupt(at.managed.runs);
        EXPECT_STREQ(at.managed.runs.check(), each.found);
    }
}

} // namespace
} // namespace resident::detail
