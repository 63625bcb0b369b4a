// Concerns: at check_level::full, guards surround exactly what was requested at every size and
// alignment; what was freed is seen to be written to, at the latest when the pool ends; leaks are
// told once, with sizes; usable_size, statistics and reserve() follow what was requested.
// Plan: a sweep over sizes and alignments writes all of each block, then one byte beyond it, at
// either end; each other concern is a scene under a handler that returns.

#include "misuse/misuse_support.hpp"

#include <cstring>
#include <optional>

namespace resident {
namespace {

using namespace resident::literals;
using test::listener;
using test::message_pattern;
using test::write_byte;

constexpr pool_options checked{.checks = check_level::full};

struct request {
    std::size_t bytes;
    std::size_t alignment;
};

std::vector<request> sweep() {
    std::vector<request> all;
    for (const std::size_t alignment : {1, 8, 16, 32, 64, 512, 4096, 8192, 65536})
        for (const std::size_t bytes : {0, 1, 16, 55, 56, 57, 1000, 4096, 65496, 65497, 200'000})
            all.push_back({bytes, alignment});
    return all;
}

TEST(Guards, leave_all_that_was_requested_alone) {
    const listener listening;
    arena memory{{.capacity = 4_MiB, .name = "test"}};
    unsynchronized_pool_resource pool(checked, memory);
    for (const auto& [bytes, alignment] : sweep()) {
        void* const block = pool.allocate(bytes, alignment);
        ASSERT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignment, 0U);
        ASSERT_EQ(pool.usable_size(block), bytes);
        ASSERT_EQ(pool.statistics().requested, bytes);
        std::memset(block, 0x42, bytes);
        pool.deallocate(block, bytes, alignment);
        ASSERT_EQ(pool.statistics().requested, 0U);
        ASSERT_EQ(pool.check(), nullptr);
    }
    EXPECT_TRUE(listener::heard_nothing());
}

TEST(Guards, begin_where_the_request_ends) {
    const listener listening;
    arena memory{test::small_arena()};
    for (const auto& [bytes, alignment] : sweep()) {
        unsynchronized_pool_resource pool(checked, memory);
        void* const block = pool.allocate(bytes, alignment);
        write_byte(block, static_cast<std::ptrdiff_t>(bytes));
        pool.deallocate(block, bytes, alignment);
        ASSERT_TRUE(listener::heard_one(misuse_kind::overflow, ".*, 1 behind the end of the .*"))
            << bytes << " bytes aligned to " << alignment;
        pool.release(); // tells it again
        listener::all().clear();
    }
}

TEST(Guards, end_where_the_memory_begins) {
    const listener listening;
    arena memory{test::small_arena()};
    for (const auto& [bytes, alignment] : sweep()) {
        if (alignment > arena::granule_size)
            continue; // nothing lies before it
        unsynchronized_pool_resource pool(checked, memory);
        void* const block = pool.allocate(bytes, alignment);
        write_byte(block, -1);
        pool.deallocate(block, bytes, alignment);
        ASSERT_TRUE(listener::heard_one(misuse_kind::underflow, ".*"))
            << bytes << " bytes aligned to " << alignment;
        pool.release(); // tells it again
        listener::all().clear();
    }
}

TEST(Guards, tell_another_alignment) {
    const listener listening;
    arena memory{test::small_arena()};
    unsynchronized_pool_resource pool(checked, memory);
    void* const block = pool.allocate(100, 64);
    pool.deallocate(block, 100, 16);
    EXPECT_TRUE(listener::heard_one(
        misuse_kind::wrong_size,
        message_pattern("deallocate(@, 100 bytes): it was allocated with alignment 64, not 16: "
                        "free it with the same; block 0 of the slab at @ of 192-byte blocks")));
    pool.deallocate(block, 100, 64);
    EXPECT_TRUE(listener::heard_nothing());
}

TEST(Guards, tell_the_handler_what_the_message_says) {
    const listener listening;
    arena memory{test::small_arena()};
    unsynchronized_pool_resource pool(checked, memory);
    void* const block = pool.allocate(100);
    pool.deallocate(block, 99);
    ASSERT_EQ(listener::all().size(), 1U);
    const misuse& told = listener::all()[0].what;
    EXPECT_EQ(told.address, block);
    EXPECT_EQ(told.slab, test::behind(block, -32));
    EXPECT_EQ(told.block_size, 144U);
    EXPECT_EQ(told.bytes, 99U);
    pool.deallocate(block);
    listener::all().clear();
}

TEST(Guards, fill_what_is_new_and_what_was_freed) {
    arena memory{test::small_arena()};
    unsynchronized_pool_resource pool(checked, memory);
    void* const kept = pool.allocate(100);
    void* const block = pool.allocate(100);
    for (const std::ptrdiff_t at : {0, 50, 99})
        EXPECT_EQ(test::read_byte(block, at), 0xA5);
    pool.deallocate(block, 100);
    for (const std::ptrdiff_t at : {0, 50, 99})
        EXPECT_EQ(test::read_byte(block, at), 0xDD);
    pool.deallocate(kept, 100);
}

TEST(Guards, tell_at_the_end_what_was_written_to_a_free_block) {
    const listener listening;
    arena memory{test::small_arena()};
    {
        unsynchronized_pool_resource pool(checked, memory);
        void* const block = pool.allocate(100);
        pool.deallocate(block, 100);
        write_byte(block, 7);
    }
    EXPECT_TRUE(listener::heard_one(
        misuse_kind::use_after_free,
        message_pattern("giving memory back to the arena: the free block was written to, 7 bytes "
                        "from its begin at @, where 100 bytes were allocated; block 0 of the slab "
                        "at @ of 144-byte blocks")));
}

TEST(Guards, tell_on_release_what_was_written_beyond_blocks_in_use) {
    const listener listening;
    arena memory{test::small_arena()};
    unsynchronized_pool_resource pool(checked, memory);
    write_byte(pool.allocate(100), 100);
    pool.release();
    EXPECT_TRUE(listener::heard_one(misuse_kind::overflow,
                                    message_pattern("giving memory back to the arena: ") + ".*"));
    write_byte(pool.allocate(100'000), 100'000);
    pool.release();
    EXPECT_TRUE(listener::heard_one(misuse_kind::overflow,
                                    message_pattern("giving memory back to the arena: ") + ".*"));
    EXPECT_EQ(pool.check(), nullptr);
}

TEST(Leaks, are_told_once_with_sizes) {
    const listener listening;
    arena memory{test::small_arena()};
    {
        unsynchronized_pool_resource pool(checked, memory);
        (void)pool.allocate(10);
        pool.deallocate(pool.allocate(10), 10);
        (void)pool.allocate(100, 64);
        (void)pool.allocate(100'000);
    }
    EXPECT_TRUE(listener::heard_one(
        misuse_kind::leak,
        message_pattern("destruction: 3 blocks of 100110 bytes in all were not freed: ") + ".*"));
    EXPECT_EQ(memory.statistics().in_use, 0U);
}

TEST(Leaks, name_the_first_few) {
    const listener listening;
    arena memory{test::small_arena()};
    std::optional<unsynchronized_pool_resource> pool(std::in_place, checked, memory);
    for (int block = 0; block < 6; ++block)
        (void)pool->allocate(10);
    pool.reset();
    EXPECT_TRUE(listener::heard_one(
        misuse_kind::leak,
        message_pattern("destruction: 6 blocks of 60 bytes in all were not freed: @ (10 bytes), @ "
                        "(10 bytes), @ (10 bytes), @ (10 bytes), @ (10 bytes), ...")));
}

TEST(Leaks, abort_by_default) {
    const test::child_result child = test::run_in_child({}, [] {
        arena memory{test::small_arena()};
        unsynchronized_pool_resource pool(checked, memory);
        (void)pool.allocate(48);
    });
    EXPECT_EQ(child.signal, SIGABRT);
    EXPECT_TRUE(std::regex_match(
        child.output, std::regex(message_pattern("destruction: 1 blocks of 48 bytes in all were "
                                                 "not freed: @ (48 bytes)\n"))))
        << child.output;
}

TEST(Leaks, are_not_what_release_freed_or_a_lower_level_does_not_know) {
    const listener listening;
    arena memory{test::small_arena()};
    {
        unsynchronized_pool_resource pool(checked, memory);
        (void)pool.allocate(10);
        pool.release();
    }
    {
        unsynchronized_pool_resource pool({.checks = check_level::cheap}, memory);
        (void)pool.allocate(10);
    }
    EXPECT_TRUE(listener::heard_nothing());
}

TEST(Guards, are_reserved_as_well) {
    const listener listening;
    arena memory{test::small_arena()};
    unsynchronized_pool_resource pool(checked, memory);
    pool.reserve(100, 50);
    EXPECT_EQ(pool.check(), nullptr);
    const std::uint64_t visits = pool.statistics().arena_visits;
    std::array<void*, 50> blocks{};
    for (void*& block : blocks)
        block = pool.allocate(100);
    for (void* const block : blocks)
        pool.deallocate(block, 100);
    EXPECT_EQ(pool.statistics().arena_visits, visits);
    EXPECT_EQ(pool.check(), nullptr);
    EXPECT_TRUE(listener::heard_nothing());
    EXPECT_FALSE(pool.try_reserve(64_KiB, 1)); // with guards, more than the largest block
}

TEST(Guards, leave_room_for_other_requests_when_memory_runs_out) {
    const listener listening;
    arena memory{{.capacity = 1_MiB, .name = "test"}};
    unsynchronized_pool_resource pool(checked, memory);
    std::vector<void*> blocks;
    while (void* const block = pool.try_allocate(1000))
        blocks.push_back(block);
    for (std::size_t index = 0; index < blocks.size(); index += 2)
        pool.deallocate(blocks[index], 1000);
    std::vector<void*> borrowed; // of the larger class
    while (void* const block = pool.try_allocate(100))
        borrowed.push_back(block);
    EXPECT_GE(borrowed.size(), (blocks.size() + 1) / 2);
    EXPECT_EQ(pool.check(), nullptr);
    for (void* const block : borrowed)
        pool.deallocate(block, 100);
    for (std::size_t index = 1; index < blocks.size(); index += 2)
        pool.deallocate(blocks[index], 1000);
    EXPECT_TRUE(listener::heard_nothing());
    EXPECT_EQ(pool.check(), nullptr);
    EXPECT_EQ(pool.statistics().requested, 0U);
}

} // namespace
} // namespace resident
