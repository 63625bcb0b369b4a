// Concerns: that check() sees each invariant of a pool broken, names it, and follows nothing wrong.
// Plan: a scene in which classes are active, caching and closed, runs are held back, slabs partly
// used and reserved, and blocks come from upstream; each field of each structure is corrupted
// there, and put right again before the pool goes. One scene is of a pool that checks its calls,
// in which all classes are closed; built with AddressSanitizer, every pool is one.

#include "pool/pool_scene.hpp"
#include "support/build.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace resident::detail {
namespace {

struct corruption {
    const char* found;
    std::function<void(scene&)> corrupt;
};

void expect_found(check_level checks, const std::vector<corruption>& corruptions) {
    scene at(checks);
    for (const corruption& each : corruptions) {
        SCOPED_TRACE(each.found);
        each.corrupt(at);
        EXPECT_STREQ(at.check(), each.found);
        at.restore();
        ASSERT_EQ(at.check(), nullptr);
    }
}

// Of every pool.

TEST(pool_check, finds_a_corrupted_pool) {
    const std::vector<corruption> corruptions{
        {"the pool's arena is another",
         [](scene& at) { at.set(inspect::base(at.state), inspect::base(at.state) + 4096); }},
        {"the pool's arena is another",
         [](scene& at) { at.set(inspect::records(at.state), inspect::records(at.state) + 1); }},
        {"the pool is closed or not against its options",
         [](scene& at) { at.set(inspect::closed(at.state), !inspect::closed(at.state)); }},
        {"the bytes known of the arena are out of range",
         [](scene& at) { at.set(inspect::open_bytes(at.state), std::size_t{4097}); }},
        {"the bytes known of the arena are out of range",
         [](scene& at) { at.set(inspect::open_bytes(at.state), std::size_t{1} << 40); }},
        {"the largest pooled block is of no size class",
         [](scene& at) {
             at.set(inspect::options(at.state).largest_required_pool_block, std::size_t{77});
         }},
        {"a slab's size class is not pooled",
         [](scene& at) {
             at.set(inspect::options(at.state).largest_required_pool_block, std::size_t{64});
         }},
        {"the table of classes by size is wrong",
         [](scene& at) { at.set(inspect::class_of_units(at.state)[9], size_class_index{1}); }},
        {"the pool does not own its state",
         [](scene& at) { at.set(inspect::owner(at.state), std::uint16_t{0}); }},
        {"the pool does not own its state",
         [](scene& at) { at.set(inspect::owner(at.state), std::uint16_t{77}); }},
        {"the count of bytes held is wrong",
         [](scene& at) { at.set(inspect::held(at.state), inspect::held(at.state) + 4096); }},
        {"the peak of bytes held is less than they are",
         [](scene& at) { at.set(inspect::peak_held(at.state), std::size_t{4096}); }},
        {"the count of bytes in runs is wrong",
         [](scene& at) { at.set(inspect::runs_in_use(at.state), std::size_t{4096}); }},
        {"the count of bytes requested is out of range",
         [](scene& at) { at.set(inspect::requested(at.state), std::size_t{1} << 40); }},
    };
    expect_found(check_level::off, corruptions);
}

TEST(pool_check, finds_a_corrupted_block_of_upstream) {
    const auto first = [](scene& at) { return inspect::upstream_first(at.state); };
    const char* const link = "a way back between blocks of upstream is wrong";
    const char* const count = "the count of bytes from upstream is wrong";
    const std::vector<corruption> corruptions{
        {count, [](scene& at) { at.set(inspect::upstream_in_use(at.state), std::size_t{5}); }},
        {count, [=](scene& at) { at.set(first(at)->bytes, std::size_t{5}); }},
        {count, [=](scene& at) { at.set(first(at)->next, {}); }},
        {count, [](scene& at) { at.set(inspect::upstream_first(at.state), {}); }},
        {link, [=](scene& at) { at.set(first(at)->previous, first(at)); }},
        {link, [=](scene& at) { at.set(first(at)->next->previous, {}); }},
        {link, [=](scene& at) { at.set(first(at)->next, first(at)); }},
        {"the alignment of a block of upstream is out of range",
         [=](scene& at) { at.set(first(at)->alignment, std::size_t{24}); }},
    };
    expect_found(check_level::off, corruptions);
}

TEST(pool_check, finds_a_corrupted_record) {
    const char* const carved = "a class's count of carved blocks is wrong";
    const char* const blocks = "a slab's count of blocks is wrong";
    const std::vector<corruption> corruptions{
        {"a run has length 0",
         [](scene& at) { at.set(at.slab(at.in_run).state, run_links::used_first); }},
        {carved, [](scene& at) { at.set(at.slab(at.cached).owner, std::uint16_t{0}); }},
        {"the count of bytes held is wrong",
         [](scene& at) { at.set(at.slab(at.large).owner, std::uint16_t{0}); }},
        {"a run's first distance is not 0",
         [](scene& at) {
             granule_record& slab = inspect::record(at.state, at.first(at.partials[0]));
             at.set(slab.distance, std::uint8_t{1});
         }},
        {"a granule's distance is wrong",
         [](scene& at) {
             // Blocks of 3 KiB begin in the first granules of any slab.
             const std::uint32_t next = at.first(at.partials[0]) + 1;
             at.set(inspect::record(at.state, next).distance, std::uint8_t{7});
         }},
        {"a slab's size class is not pooled",
         [](scene& at) { at.set(at.slab(at.partials[0]).size_class, size_class_index{255}); }},
        {blocks, [](scene& at) { at.set(at.slab(at.cached).size_class, size_class_index{9}); }},
        {carved, [](scene& at) { at.set(at.slab(at.in_run).size_class, size_class_index{0}); }},
        {"a block that is a run has the length of another",
         [](scene& at) { at.set(at.slab(at.large).size_class, size_classes::of(8192)); }},
        {blocks, [](scene& at) { at.set(at.slab(at.cached).blocks, std::uint16_t{9}); }},
        {"a slab's count of carved blocks is out of range",
         [](scene& at) { at.set(at.slab(at.cached).carved, std::uint16_t{0}); }},
        {"a slab's count of carved blocks is out of range",
         [](scene& at) { at.set(at.slab(at.cached).carved, std::uint16_t{9999}); }},
        {"a slab that is not active has a part never used",
         [](scene& at) { at.set(at.slab(at.partials[0]).carved, std::uint16_t{1}); }},
        {"a slab's count of free blocks is out of range",
         [](scene& at) { at.set(at.slab(at.partials[0]).free, std::uint16_t{9999}); }},
        {"a slab without blocks in use is kept",
         [](scene& at) {
             granule_record& slab = at.slab(at.partials[0]);
             at.set(slab.free, slab.carved);
         }},
        {"a free block's room is wrong",
         [](scene& at) { at.set(at.slab(at.partials[0]).free, std::uint16_t{2}); }},
        {"a class's count of free blocks is wrong",
         [](scene& at) { at.set(at.slab(at.partials[0]).free, std::uint16_t{0}); }},
        {"a slab's head is not a block of it",
         [](scene& at) { at.set(at.slab(at.partials[0]).head, std::uint16_t{0xffff}); }},
        {"a slab's head is not a block of it",
         [](scene& at) {
             granule_record& slab = at.slab(at.partials[0]);
             at.set(slab.head, static_cast<std::uint16_t>(slab.head + 1));
         }},
        {"a list of partial slabs leads out of the class",
         [](scene& at) { at.set(at.slab(at.partials[12]).next, 1U << 30); }},
        {"a list of partial slabs leads out of the class",
         [](scene& at) { at.set(at.slab(at.partials[12]).next, at.first(at.in_run)); }},
        {"a partial slab's way back is wrong",
         [](scene& at) { at.set(at.slab(at.partials[12]).previous, at.first(at.partials[6])); }},
        {"a partial slab's way back is wrong",
         [](scene& at) { at.set(at.slab(at.partials[0]).previous, none); }},
        {"a partial slab's way back is wrong",
         [](scene& at) { at.set(at.slab(at.partials[12]).next, at.first(at.partials[12])); }},
        {"a slab with free blocks is in no list",
         [](scene& at) { at.set(at.slab(at.partials[12]).next, none); }},
    };
    expect_found(check_level::off, corruptions);
    expect_found(check_level::cheap, corruptions);
}
TEST(pool_check, finds_a_corrupted_list_of_a_slab) {
    const auto head = [](scene& at) { return inspect::first_free(at.state, at.two_free); };
    const auto set = [](scene& at, free_block* block, free_block* next, std::uint32_t room) {
        at.set_link(block, {next, room});
    };
    const char* const leads_away = "a list of free blocks leads to none";
    const char* const room = "a free block's room is wrong";
    const std::uint32_t first = pool_state::slab_room - 2;
    const std::vector<corruption> corruptions{
        {leads_away, [=](scene& at) { set(at, head(at), nullptr, first); }},
        {leads_away, [=](scene& at) { set(at, head(at), head(at) + 1, first); }},
        {leads_away,
         [=](scene& at) { set(at, head(at), static_cast<free_block*>(at.large), first); }},
        {"a free block is in the list of another slab",
         [=](scene& at) { set(at, head(at), static_cast<free_block*>(at.cached), first); }},
        {"a list of free blocks is too short",
         [=](scene& at) { set(at, head(at), &at.list(partial).end_mark, first); }},
        {"a list of free blocks is too long",
         [=](scene& at) { set(at, read_link(head(at)).next, &at.list(run).end_mark, first + 1); }},
        {room, [=](scene& at) { set(at, head(at), read_link(head(at)).next, first - 1); }},
        {room, [=](scene& at) { set(at, head(at), head(at), first); }}, // twice in a list
    };
    expect_found(check_level::off, corruptions);
    expect_found(check_level::cheap, corruptions);
}

TEST(pool_check, finds_a_corrupted_class) {
    const char* const leads_away = "a list of partial slabs leads out of the class";
    const std::vector<corruption> corruptions{
        {"an end mark leads on",
         [](scene& at) {
             at.set(at.list(unused).end_mark.next, static_cast<free_block*>(at.large));
         }},
        {"the active slab is none of the class",
         [](scene& at) { at.set(at.list(unused).active, 1U << 30); }},
        {"the active slab is none of the class",
         [](scene& at) { at.set(at.list(unused).active, at.first(at.cached)); }},
        {"the active slab is none of the class",
         [](scene& at) { at.set(at.list(run).active, at.first(at.in_run)); }},
        {"a slab that is not active has a part never used",
         [](scene& at) { at.set(at.list(active).active, none); }},
        {"a class's count of carved blocks is wrong",
         [](scene& at) { at.set(at.list(unused).carved, 1U); }},
        {"a class's count of free blocks is wrong",
         [](scene& at) { at.set(at.list(unused).free_listed, 1U); }},
        {"a class's count of sparse slabs is wrong",
         [](scene& at) { at.set(at.list(unused).sparse, std::uint16_t{1}); }},
        {"a class has fewer blocks than are reserved",
         [](scene& at) { at.set(at.list(reserved).reserved, 5000U); }},
        {"a slab without blocks in use is kept",
         [](scene& at) { at.set(at.list(reserved).reserved, 0U); }},
        {leads_away, [](scene& at) { at.set(at.list(partial).partial, 1U << 30); }},
        {leads_away, [](scene& at) { at.set(at.list(partial).partial, at.first(at.cached)); }},
        {"a slab does not belong among the partial ones",
         [](scene& at) { at.set(at.list(partial).partial, at.first(at.partials.back())); }},
        {"a slab with free blocks is in no list",
         [](scene& at) { at.set(at.list(partial).partial, none); }},
    };
    expect_found(check_level::off, corruptions);
    expect_found(check_level::cheap, corruptions);
}

// What only a pool that checks nothing has, or only one that does.

TEST(pool_check, finds_a_corrupted_closed_list) {
    const std::vector<corruption> corruptions{
        {"a closed list takes blocks",
         [](scene& at) { at.set(at.list(active).span, std::size_t{4096}); }},
        {"a closed list takes blocks",
         [](scene& at) { at.set(at.list(active).end_mark.room, 1U); }},
        {"a closed list has blocks",
         [](scene& at) { at.set(at.list(active).head, static_cast<free_block*>(at.actives[0])); }},
    };
    expect_found(check_level::cheap, corruptions);
}

TEST(pool_check, finds_a_corrupted_active_list) {
    if (test::address_sanitized)
        GTEST_SKIP() << "every pool is closed under AddressSanitizer";
    const auto block = [](void* begin) { return static_cast<free_block*>(begin); };
    const char* const range = "an active class's range is not its slab";
    const char* const no_block = "a class's head is no block";
    const std::vector<corruption> corruptions{
        {range, [](scene& at) { at.set(at.list(active).begin, at.list(active).begin + 64); }},
        {range, [](scene& at) { at.set(at.list(active).span, std::size_t{64}); }},
        {"an active class's room is wrong",
         [](scene& at) { at.set(at.list(active).end_mark.room, 70'000U); }},
        {"an active slab has a list of its own",
         [](scene& at) { at.set(at.slab(at.actives[0]).free, std::uint16_t{1}); }},
        {no_block, [=](scene& at) { at.set(at.list(active).head, block(nullptr)); }},
        {no_block, [=](scene& at) { at.set(at.list(active).head, block(at.actives[3]) + 1); }},
        {no_block, [=](scene& at) { at.set(at.list(active).head, block(at.large)); }},
        {"a class's first room is out of range",
         [=](scene& at) {
             at.set_link(block(at.actives[3]), {block(at.actives[5]), 0xffff});
         }},
        {"a class's first room is out of range",
         [=](scene& at) {
             at.set_link(block(at.actives[3]), {block(at.actives[5]), 0});
         }},
        {"a free block's room is wrong",
         [=](scene& at) {
             at.set_link(block(at.actives[5]), {block(at.actives[3]), 5});
         }},
        {"a free block is in the list of another slab",
         [=](scene& at) { at.set(at.list(active).head, block(at.free_cached)); }},
    };
    expect_found(check_level::off, corruptions);
}

TEST(pool_check, finds_a_corrupted_cache) {
    if (test::address_sanitized)
        GTEST_SKIP() << "every pool is closed under AddressSanitizer";
    const char* const range = "a caching class's range is not the arena";
    const std::vector<corruption> corruptions{
        {range, [](scene& at) { at.set(at.list(caching).begin, at.list(caching).begin + 64); }},
        {range, [](scene& at) { at.set(at.list(caching).span, std::size_t{0}); }},
        {range, [](scene& at) { at.set(at.list(run).span, std::size_t{1} << 40); }},
        {range, [](scene& at) { at.set(at.list(run).span, std::size_t{4097}); }},
        {"a caching class's room is wrong",
         [](scene& at) { at.set(at.list(caching).end_mark.room, 9U); }},
        {"a caching class's room is wrong",
         [](scene& at) { at.set(at.list(run).end_mark.room, 8U); }},
        {"a class of runs does not cache", [](scene& at) { at.set(at.list(run).active, none); }},
        {"a class of large blocks caches",
         [](scene& at) {
             class_list& list = at.list(5000);
             at.set(list.active, pool_state::caching);
             at.set(list.begin, at.list(run).begin);
             at.set(list.span, at.list(run).span);
             at.set(list.end_mark.room, std::uint32_t{cache_limit});
         }},
        {"a caching class has borrowed blocks",
         [](scene& at) { at.set(at.list(caching).borrowed, std::uint16_t{1}); }},
        {"a class's count of sparse slabs is wrong",
         [](scene& at) { at.set(at.list(caching).sparse, std::uint16_t{1}); }},
        {"a free block is in the list of another slab",
         [](scene& at) { at.set(at.list(caching).head, at.list(run).head); }},
        {"a class's head is no block",
         [](scene& at) { at.set(at.list(run).head, static_cast<free_block*>(at.large)); }},
        {"a free block's room is wrong",
         [](scene& at) {
             free_block* const head = at.list(caching).head;
             at.set_link(head, {head, head->room}); // twice in the list
         }},
        {"a class's first room is out of range", // in the slab's list and in the cache
         [](scene& at) {
             at.set(at.list(caching).head, inspect::first_free(at.state, at.other_cached));
         }},
    };
    expect_found(check_level::off, corruptions);
}

} // namespace
} // namespace resident::detail
