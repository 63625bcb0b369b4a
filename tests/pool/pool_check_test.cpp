// Concerns: that check() sees each invariant of a pool broken, names it, and follows nothing wrong.
// Plan: a scene in which lists have blocks, are full, are surplus, slabs are current, partly used
// and reserved, and blocks come from upstream; each field of each structure is corrupted there, and
// put right again before the pool goes. One scene is of a pool that checks its calls, in which all
// lists stay empty; built with AddressSanitizer, every pool is one.

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
        {"the mark of closed lists has room",
         [](scene& at) { at.set(at.state.closed_mark.room, 1U); }},
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
         [](scene& at) { at.set(inspect::class_offsets(at.state)[9], std::uint16_t{64}); }},
        {"the table of classes by large sizes is wrong",
         [](scene& at) { at.set(inspect::large_class_offsets(at.state)[99], std::uint16_t{0}); }},
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
        {"a slab has a part never used and is not current, or the reverse",
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
    const auto first = [=](scene& at) { return read_link(head(at)).room; };
    const std::vector<corruption> corruptions{
        {leads_away, [=](scene& at) { set(at, head(at), nullptr, first(at)); }},
        {leads_away, [=](scene& at) { set(at, head(at), head(at) + 1, first(at)); }},
        {leads_away,
         [=](scene& at) { set(at, head(at), static_cast<free_block*>(at.large), first(at)); }},
        {"a free block is in the list of another slab",
         [=](scene& at) { set(at, head(at), static_cast<free_block*>(at.cached), first(at)); }},
        {"a list of free blocks is too short",
         [=](scene& at) { set(at, head(at), &at.list(partial).end_mark, first(at)); }},
        {"a list of free blocks is too long",
         [=](scene& at) {
             set(at, read_link(head(at)).next, &at.list(run).end_mark, first(at) + 1);
         }},
        {room, [=](scene& at) { set(at, head(at), read_link(head(at)).next, first(at) - 1); }},
        {room, [=](scene& at) { set(at, head(at), head(at), first(at)); }}, // twice in a list
    };
    expect_found(check_level::off, corruptions);
    expect_found(check_level::cheap, corruptions);
}

TEST(pool_check, finds_a_corrupted_class) {
    const char* const leads_away = "a list of partial slabs leads out of the class";
    const char* const current = "a slab has a part never used and is not current, or the reverse";
    const std::vector<corruption> corruptions{
        {"an end mark leads on",
         [](scene& at) {
             at.set(at.list(unused).end_mark.next, static_cast<free_block*>(at.large));
         }},
        {"the current slab is none of the class",
         [](scene& at) { at.set(at.list(unused).current, 1U << 30); }},
        {"the current slab is none of the class",
         [](scene& at) { at.set(at.list(unused).current, at.first(at.cached)); }},
        {current, [](scene& at) { at.set(at.list(run).current, at.first(at.in_run)); }},
        {current, [](scene& at) { at.set(at.list(active).current, none); }},
        {"the capacity of a class's list is wrong",
         [](scene& at) { at.set(at.list(unused).capacity, 5U); }},
        {"a class has more surplus than its list can have had",
         [](scene& at) { at.set(at.list(unused).surplus_count, 5000U); }},
        {"an end mark's room is wrong",
         [](scene& at) { at.set(at.list(unused).end_mark.room, 1U); }},
        {"a class's count of carved blocks is wrong",
         [](scene& at) { at.set(at.list(unused).carved, 1U); }},
        {"a class's count of free blocks is wrong",
         [](scene& at) { at.set(at.list(unused).free_listed, 1U); }},
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

constexpr const char* no_block = "a class's head is no block";

TEST(pool_check, finds_blocks_in_a_list_that_must_stay_empty) {
    const std::vector<corruption> corruptions{
        {"a class's first room is out of range",
         [](scene& at) { at.set(at.list(active).head, static_cast<free_block*>(at.actives[0])); }},
        {"a class has more surplus than its list can have had",
         [](scene& at) { at.set(at.list(active).surplus_count, 1U); }},
    };
    expect_found(check_level::cheap, corruptions);
}

TEST(pool_check, finds_a_corrupted_list_of_a_class) {
    if (test::address_sanitized)
        GTEST_SKIP() << "every list is empty under AddressSanitizer";
    const auto block = [](void* begin) { return static_cast<free_block*>(begin); };
    const auto link = [=](scene& at, void* from, void* to, std::uint32_t room) {
        at.set_link(block(from), {block(to), room});
    };
    const auto room = [=](void* of) { return read_link(block(of)).room; };
    const std::vector<corruption> corruptions{
        {no_block, [=](scene& at) { at.set(at.list(active).head, block(nullptr)); }},
        {no_block, [=](scene& at) { at.set(at.list(active).head, block(at.actives[3]) + 1); }},
        {no_block, [=](scene& at) { at.set(at.list(active).head, block(at.large)); }},
        {"a class's first room is out of range",
         [=](scene& at) { link(at, at.actives[3], at.actives[5], 0xffff); }},
        {"a free block's room is wrong",
         [=](scene& at) { link(at, at.actives[3], at.actives[5], 0); }},
        {"a list of free blocks is too short",
         [=](scene& at) {
             link(at, at.actives[5], &at.list(active).end_mark, room(at.actives[5]));
         }},
        {"a free block's room is wrong",
         [=](scene& at) { link(at, at.actives[5], at.actives[3], room(at.actives[5])); }},
        {"a free block's room is wrong", [=](scene& at) { link(at, at.actives[5], nullptr, 5); }},
        {"a list of free blocks leads to none",
         [=](scene& at) { link(at, at.actives[5], nullptr, room(at.actives[5])); }},
        {"a free block is in the list of another slab",
         [=](scene& at) { link(at, at.actives[5], at.first_cached, room(at.actives[5])); }},
        {"a list is open that must stay empty",
         [](scene& at) { at.set(at.list(caching).borrowed, 1U); }},
        {"a list is open that must stay empty",
         [](scene& at) { at.set(at.list(caching).surplus_count, 1U); }},
    };
    expect_found(check_level::off, corruptions);
}

TEST(pool_check, finds_a_corrupted_surplus) {
    if (test::address_sanitized)
        GTEST_SKIP() << "no list has a surplus under AddressSanitizer";
    const std::vector<corruption> corruptions{
        {"a free block's room is wrong",
         [](scene& at) {
             at.set(at.list(surplus).surplus_count, at.list(surplus).surplus_count - 1);
         }},
        {no_block, [](scene& at) { at.set(at.list(surplus).surplus_count, 0U); }},
        {"a list of free blocks leads to none",
         [](scene& at) { at.set(at.list(surplus).surplus, static_cast<free_block*>(at.large)); }},
        {"a free block is in the list of another slab",
         [](scene& at) { at.set(at.list(surplus).surplus, at.list(active).head); }},
    };
    expect_found(check_level::off, corruptions);
}

// The last block of the class's list lies in a slab that has no list: it is given one, of the same
// block, and everything else is made to agree.
TEST(pool_check, finds_a_block_in_two_lists) {
    if (test::address_sanitized)
        GTEST_SKIP() << "a free block is in the list of its slab alone under AddressSanitizer";
    const auto put_in_two_lists = [](scene& at) {
        class_list& list = at.list(caching);
        granule_record& slab = at.slab(at.first_cached);
        ASSERT_EQ(list.partial, at.first(at.cached_elsewhere));
        at.set(slab.free, std::uint16_t{1});
        at.set(slab.head, std::uint16_t{0});
        at.set(slab.next, list.partial);
        at.set(slab.previous, none);
        at.set(at.slab(at.cached_elsewhere).previous, at.first(at.first_cached));
        at.set(list.partial, at.first(at.first_cached));
        at.set(list.free_listed, list.free_listed + 1);
    };
    expect_found(check_level::off, {{"a free block is in two lists", put_in_two_lists}});
}

} // namespace
} // namespace resident::detail
