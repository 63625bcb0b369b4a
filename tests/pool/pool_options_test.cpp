// Concerns: a pool is made in every shape that std::pmr's is, and does what its options say.
// Plan: each constructor; each option against the blocks, slabs and runs that requests get.

#include <resident/resident.hpp>
#include <resident/unsynchronized_pool_resource.hpp>

#include "pool/hoard.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace resident {
namespace {

using namespace resident::literals;

/// What a program has whose pools change their namespace and nothing else.
template <class Pool, class Upstream>
void use_as_in_std_pmr(Upstream* upstream) {
    const std::pmr::pool_options options{.max_blocks_per_chunk = 50,
                                         .largest_required_pool_block = 1000};
    Pool one;
    Pool two(options);
    Pool three(upstream);
    Pool four(options, upstream);
    const Pool braced{{.max_blocks_per_chunk = 50, .largest_required_pool_block = 1000}, upstream};
    const Pool of_defaults{{}, upstream};
    EXPECT_EQ(braced.options().max_blocks_per_chunk, four.options().max_blocks_per_chunk);
    for (Pool* each : {&one, &two, &three, &four}) {
        std::pmr::vector<int> numbers(100, 7, each);
        EXPECT_EQ(numbers.get_allocator().resource(), each);
        EXPECT_TRUE(each->is_equal(*each));
        EXPECT_NE(each->options().max_blocks_per_chunk, 0u);
        EXPECT_NE(each->options().largest_required_pool_block, 0u);
        EXPECT_NE(each->upstream_resource(), nullptr);
    }
    EXPECT_FALSE(one.is_equal(two));
    EXPECT_GE(four.options().largest_required_pool_block, 1000u);
    for (Pool* each : {&one, &two, &three, &four})
        each->release();
}

TEST(pool_options, migrating_from_std_pmr_is_changing_the_namespace) {
    arena memory{{.capacity = 1_MiB}};
    use_as_in_std_pmr<std::pmr::unsynchronized_pool_resource>(&memory);
    use_as_in_std_pmr<unsynchronized_pool_resource>(&memory);
}

TEST(pool_options, of_std_pmr_are_taken_beside_an_upstream) {
    arena memory{{.capacity = 1_MiB}};
    const std::pmr::pool_options options{.largest_required_pool_block = 1000};
    std::pmr::memory_resource* const upstream = std::pmr::new_delete_resource();
    const unsynchronized_pool_resource by_reference(options, memory, upstream);
    const unsynchronized_pool_resource by_pointer(options, &memory, upstream);
    for (const unsynchronized_pool_resource* each : {&by_reference, &by_pointer}) {
        EXPECT_EQ(&each->source(), &memory);
        EXPECT_EQ(each->upstream_resource(), upstream);
        EXPECT_EQ(each->options().largest_required_pool_block, 1008u);
    }
}

TEST(pool_options, a_pool_without_an_arena_makes_one) {
    unsynchronized_pool_resource one;
    unsynchronized_pool_resource two{pool_options{.largest_required_pool_block = 100}};
    EXPECT_NE(&one.source(), &two.source());
    EXPECT_EQ(one.source().statistics().capacity, default_arena_capacity);
    EXPECT_TRUE(one.source().locked());
    EXPECT_EQ(two.options().largest_required_pool_block, 112u);
    void* const block = one.try_allocate(100);
    EXPECT_TRUE(one.owns(block));
    EXPECT_TRUE(one.source().owns(block));
    one.deallocate(block, 100);
}

TEST(pool_options, the_state_is_16_KiB_of_the_arena_and_goes_back) {
    arena memory{{.capacity = 1_MiB}};
    {
        const unsynchronized_pool_resource pool{memory};
        EXPECT_EQ(&pool.source(), &memory);
        EXPECT_EQ(memory.statistics().in_use, test::pool_state_size);
    }
    EXPECT_EQ(memory.statistics().in_use, 0u);
}

#if defined(__cpp_exceptions)
TEST(pool_options, no_room_for_the_state_is_bad_alloc_and_takes_nothing) {
    arena memory{{.capacity = 12_KiB}};
    EXPECT_THROW(unsynchronized_pool_resource{memory}, std::bad_alloc);
    EXPECT_EQ(memory.statistics().in_use, 0u);
}
#endif

TEST(pool_options, a_block_is_at_most_what_largest_required_pool_block_says) {
    arena memory{{.capacity = 1_MiB}};
    for (const std::size_t largest : {1u, 100u, 1000u, 5000u, 20'000u, 65'536u}) {
        unsynchronized_pool_resource pool{pool_options{.largest_required_pool_block = largest},
                                          memory};
        const std::size_t rounded = pool.options().largest_required_pool_block;
        EXPECT_GE(rounded, largest);
        EXPECT_LE(rounded, std::max<std::size_t>(largest + largest / 4 + 8, 16));
        void* const block = pool.try_allocate(rounded, 8);
        void* const run = pool.try_allocate(rounded + 1, 8);
        EXPECT_EQ(pool.usable_size(block), rounded);
        EXPECT_EQ(pool.usable_size(run), (rounded + 1 + 4095) / 4096 * 4096);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(run) % arena::granule_size, 0u);
        EXPECT_EQ(test::class_of(pool.statistics(), rounded).in_use, 1u);
        EXPECT_EQ(test::class_of(pool.statistics(), rounded + 1).in_use, 0u);
        pool.deallocate(block, rounded, 8);
        pool.deallocate(run, rounded + 1, 8);
        EXPECT_EQ(pool.statistics().in_use, 0u);
        EXPECT_STREQ(pool.check(), nullptr);
    }
}

TEST(pool_options, no_largest_block_or_too_large_a_one_means_64_KiB) {
    arena memory{{.capacity = 1_MiB}};
    for (const std::size_t largest : {std::size_t{0}, 64_KiB, 64_KiB + 1, ~std::size_t{0}}) {
        const unsynchronized_pool_resource pool{
            pool_options{.largest_required_pool_block = largest}, memory};
        EXPECT_EQ(pool.options().largest_required_pool_block, 64_KiB);
    }
}

/// Blocks that a slab may have whatever the options say: as many as fill a granule, and 14.
std::size_t least_blocks(std::size_t block_size) {
    return std::max<std::size_t>(14, arena::granule_size / block_size);
}

TEST(pool_options, a_slab_has_at_most_max_blocks_per_chunk) {
    arena memory{{.capacity = 16_MiB}};
    for (const std::size_t most : {std::size_t{1}, std::size_t{5}, std::size_t{100},
                                   std::size_t{1000}, std::size_t{1} << 60, ~std::size_t{0}}) {
        unsynchronized_pool_resource pool{pool_options{.max_blocks_per_chunk = most}, memory};
        for (const size_class_statistics& each : pool.statistics().classes) {
            const std::size_t before = pool.statistics().held;
            void* const block = pool.try_allocate(each.block_size, 8);
            const std::size_t slab = pool.statistics().held - before;
            EXPECT_LE(slab / each.block_size, std::max(most, least_blocks(each.block_size)))
                << each.block_size << " B, " << most;
            EXPECT_GE(slab, each.block_size);
            pool.deallocate(block, each.block_size, 8);
        }
        EXPECT_STREQ(pool.check(), nullptr);
    }
}

TEST(pool_options, are_told_as_given) {
    arena memory{{.capacity = 1_MiB}};
    int context = 0;
    const failure_observer observer{
        .notify = [](void*, std::size_t, std::size_t, const pool_statistics&) noexcept {},
        .context = &context};
    const unsynchronized_pool_resource pool{pool_options{.max_blocks_per_chunk = 64,
                                                         .checks = check_level::cheap,
                                                         .on_failure = observer},
                                            memory, std::pmr::new_delete_resource()};
    EXPECT_EQ(pool.options().max_blocks_per_chunk, 64u);
    EXPECT_EQ(pool.options().checks, check_level::cheap);
    EXPECT_EQ(pool.options().on_failure.context, &context);
    EXPECT_EQ(pool.upstream_resource(), std::pmr::new_delete_resource());
    const unsynchronized_pool_resource alone{memory};
    EXPECT_EQ(alone.upstream_resource(), std::pmr::null_memory_resource());
    EXPECT_EQ(alone.options().checks, check_level::off);
}

TEST(pool_options, check_levels_have_names) {
    EXPECT_EQ(to_string(check_level::off), std::string_view("off"));
    EXPECT_EQ(to_string(check_level::cheap), std::string_view("cheap"));
    EXPECT_EQ(to_string(check_level::full), std::string_view("full"));
}

} // namespace
} // namespace resident
