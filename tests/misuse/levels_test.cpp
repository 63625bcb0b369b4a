// Concerns: the handler can be replaced and put back; a pool that does not check takes the inline
// path, and one that does never; the cheap level knows blocks lent to smaller classes, freeing
// without a size, and what was requested; upstream's blocks are not taken for misuse.
// Plan: states and statistics of pools at each level; scenes under a handler that returns.

#include "misuse/misuse_support.hpp"

#include <algorithm>

namespace resident {
namespace {

using namespace resident::literals;
using test::listener;

class EachLevel : public testing::TestWithParam<check_level> {};
INSTANTIATE_TEST_SUITE_P(Misuse, EachLevel,
                         testing::Values(check_level::off, check_level::cheap, check_level::full),
                         [](const auto& instance) { return to_string(instance.param); });

TEST_P(EachLevel, takes_the_inline_path_if_and_only_if_it_is_off) {
    arena memory{test::small_arena()};
    unsynchronized_pool_resource pool({.checks = GetParam()}, memory);
    pool.deallocate(pool.allocate(48), 48);
    std::uint32_t cached = 0; // blocks that the next request gets inline
    for (const size_class_statistics& each : pool.statistics().classes)
        cached += each.cached;
    const bool open = GetParam() == check_level::off && !test::address_sanitized;
    EXPECT_EQ(cached > 0, open);
    EXPECT_EQ(pool.options().checks, GetParam());
    EXPECT_EQ(pool.check(), nullptr);
}

TEST_P(EachLevel, counts_what_is_requested_if_it_checks) {
    const listener listening;
    arena memory{test::small_arena()};
    unsynchronized_pool_resource pool({.checks = GetParam()}, memory);
    void* const block = pool.allocate(41);
    void* const aligned = pool.allocate(1000, 256);
    void* const run = pool.allocate(100'000);
    const bool open = GetParam() == check_level::off && !test::address_sanitized;
    EXPECT_EQ(pool.statistics().requested, open ? pool.statistics().in_use : 101'041U);
    pool.deallocate(aligned, 1000, 256);
    pool.deallocate(run);
    EXPECT_EQ(pool.statistics().requested, open ? pool.statistics().in_use : 41U);
    pool.deallocate(block);
    EXPECT_EQ(pool.statistics().requested, 0U);
    EXPECT_TRUE(listener::heard_nothing());
}

TEST_P(EachLevel, says_what_may_be_used) {
    arena memory{test::small_arena()};
    unsynchronized_pool_resource pool({.checks = GetParam()}, memory);
    for (const std::size_t bytes : {1, 41, 5000, 100'000}) {
        void* const block = pool.allocate(bytes);
        const std::size_t usable = pool.usable_size(block);
        EXPECT_GE(usable, bytes);
        EXPECT_TRUE(GetParam() != check_level::full || usable == bytes);
        std::fill_n(static_cast<std::byte*>(block), usable, std::byte{1}); // tools let it pass
        pool.deallocate(block, bytes);
    }
    EXPECT_EQ(pool.check(), nullptr);
}

TEST_P(EachLevel, knows_blocks_lent_to_smaller_classes) {
    const listener listening;
    arena memory{{.capacity = 1_MiB, .name = "test"}};
    unsynchronized_pool_resource pool({.checks = GetParam()}, memory);
    std::vector<void*> large;
    while (void* const block = pool.try_allocate(1000))
        large.push_back(block);
    pool.deallocate(large.back(), 1000);
    large.pop_back();
    std::vector<void*> small;
    while (void* const block = pool.try_allocate(40))
        small.push_back(block);
    EXPECT_FALSE(small.empty());
    EXPECT_EQ(pool.check(), nullptr);
    for (void* const block : small)
        pool.deallocate(block, 40);
    for (void* const block : large)
        pool.deallocate(block, 1000);
    EXPECT_TRUE(listener::heard_nothing());
    EXPECT_EQ(pool.check(), nullptr);
}

TEST_P(EachLevel, leaves_blocks_of_upstream_alone) {
    const listener listening;
    arena memory{test::small_arena()};
    unsynchronized_pool_resource pool({.checks = GetParam()}, memory,
                                      std::pmr::new_delete_resource());
    void* const block = pool.allocate(3_MiB);
    EXPECT_EQ(pool.statistics().upstream, 3_MiB);
    EXPECT_EQ(pool.usable_size(block), 3_MiB);
    pool.deallocate(block, 3_MiB);
    EXPECT_EQ(pool.statistics().upstream, 0U);
    EXPECT_TRUE(listener::heard_nothing());
}

TEST_P(EachLevel, knows_what_is_another_pools_or_no_block_at_all) {
    if (GetParam() == check_level::off)
        return;
    const listener listening;
    arena memory{test::small_arena()};
    unsynchronized_pool_resource pool({.checks = GetParam()}, memory);
    unsynchronized_pool_resource other({.checks = GetParam()}, memory);
    void* const block = other.allocate(48);
    void* const run = other.allocate(100'000);
    // The pool's own state is the first run.
    for (void* const foreign : {block, run, static_cast<void*>(memory.memory().data())}) {
        pool.deallocate(foreign, 48);
        EXPECT_TRUE(listener::heard_one(misuse_kind::foreign_pointer, ".*"));
    }
    other.deallocate(block, 48);
    other.deallocate(run, 100'000);
    EXPECT_TRUE(listener::heard_nothing());
    EXPECT_EQ(pool.check(), nullptr);
    EXPECT_EQ(other.check(), nullptr);
}

TEST_P(EachLevel, does_not_take_a_former_slabs_block_for_one_of_a_shorter_slab) {
    if (GetParam() == check_level::off)
        return;
    const listener listening;
    arena memory{test::small_arena()};
    unsynchronized_pool_resource pool({.checks = GetParam()}, memory);
    void* const before = pool.allocate(3000);
    void* former = before;
    for (int block = 0; block < 3; ++block)
        former = pool.allocate(3000);
    pool.release();
    void* const now = pool.allocate(48);
    constexpr std::uintptr_t granule = arena::granule_size;
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(now) / granule,
              reinterpret_cast<std::uintptr_t>(before) / granule);
    pool.deallocate(former, 3000);
    EXPECT_TRUE(listener::heard_one(misuse_kind::foreign_pointer, ".*"));
    pool.deallocate(now, 48);
}

TEST(FullChecks, know_upstream_by_its_blocks) {
    const listener listening;
    arena memory{test::small_arena()};
    unsynchronized_pool_resource pool({.checks = check_level::full}, memory,
                                      std::pmr::new_delete_resource());
    void* const block = pool.allocate(3_MiB);
    std::array<std::byte, 64> foreign{};
    pool.deallocate(foreign.data(), 64);
    EXPECT_TRUE(listener::heard_one(misuse_kind::foreign_pointer, ".*"));
    pool.deallocate(nullptr);
    EXPECT_TRUE(listener::heard_one(
        misuse_kind::foreign_pointer,
        test::message_pattern("deallocate((nil)): the pointer is not from this pool, nor its "
                              "arena: free it where it was allocated")));
    pool.deallocate(block, 3_MiB);
}

TEST(CheapChecks, abandon_no_more_than_a_slabs_free_blocks) {
    const listener listening;
    arena memory{test::small_arena()};
    unsynchronized_pool_resource pool({.checks = check_level::cheap}, memory);
    std::array<void*, 10> blocks{};
    for (void*& block : blocks)
        block = pool.allocate(48);
    for (std::size_t freed = 0; freed < 4; ++freed)
        pool.deallocate(blocks[freed], 48);
    test::write_byte(blocks[3], 0);
    void* const next = pool.allocate(48);
    EXPECT_TRUE(listener::heard_one(misuse_kind::corrupted_link, ".*"));
    EXPECT_EQ(std::count(blocks.begin(), blocks.end(), next), 0);
    const size_class_statistics of_48 =
        pool.statistics().classes[detail::size_classes::of(48) - std::size_t{1}];
    EXPECT_EQ(of_48.in_use, 11U); // the abandoned four among them
    EXPECT_EQ(pool.check(), nullptr);
    pool.release();
    EXPECT_EQ(pool.statistics().in_use, 0U);
}

/// The stray value is that of a block in use, which has not been written to since it was free.
TEST(CheapChecks, follow_no_link_to_a_block_in_use) {
    const listener listening;
    arena memory{test::small_arena()};
    unsynchronized_pool_resource pool({.checks = check_level::cheap}, memory);
    void* const first = pool.allocate(64);
    void* const second = pool.allocate(64);
    pool.deallocate(pool.allocate(64), 64);
    void* const in_use = pool.allocate(64);
    pool.deallocate(first, 64);
    pool.deallocate(second, 64);
    const auto stray = reinterpret_cast<std::uintptr_t>(in_use);
    for (std::size_t byte = 0; byte < sizeof(stray); ++byte)
        test::write_byte(second, static_cast<std::ptrdiff_t>(byte),
                         static_cast<int>(stray >> (8 * byte) & 0xff));
    EXPECT_NE(pool.allocate(64), second); // told before it is handed out, not after
    EXPECT_NE(pool.allocate(64), in_use);
    EXPECT_TRUE(listener::heard_one(misuse_kind::corrupted_link, ".*"));
}

TEST(Handler, is_given_back_when_replaced) {
    const misuse_handler mine = [](const misuse&) {};
    const misuse_handler standard = set_misuse_handler(mine);
    EXPECT_EQ(set_misuse_handler(nullptr), mine);
    EXPECT_EQ(set_misuse_handler(nullptr), standard);
}

TEST(Handler, is_told_kinds_that_have_names) {
    EXPECT_STREQ(to_string(misuse_kind::foreign_pointer), "foreign_pointer");
    EXPECT_STREQ(to_string(misuse_kind::misaligned_pointer), "misaligned_pointer");
    EXPECT_STREQ(to_string(misuse_kind::wrong_size), "wrong_size");
    EXPECT_STREQ(to_string(misuse_kind::double_free), "double_free");
    EXPECT_STREQ(to_string(misuse_kind::corrupted_link), "corrupted_link");
    EXPECT_STREQ(to_string(misuse_kind::overflow), "overflow");
    EXPECT_STREQ(to_string(misuse_kind::underflow), "underflow");
    EXPECT_STREQ(to_string(misuse_kind::use_after_free), "use_after_free");
    EXPECT_STREQ(to_string(misuse_kind::leak), "leak");
    EXPECT_STREQ(to_string(static_cast<misuse_kind>(99)), "unknown misuse_kind");
}

} // namespace
} // namespace resident
