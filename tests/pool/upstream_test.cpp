// Concerns: an upstream resource serves what the arena cannot, nothing else; its blocks go back to
// it as they were had, when freed, released or with the pool; what it throws is thrown, and is null
// through try_allocate; each refusal is counted and told.
// Plan: an upstream that keeps books of its own and can be made to refuse; a pool that is full.

#include <resident/unsynchronized_pool_resource.hpp>

#include "pool/bookkeeper.hpp"
#include "pool/hoard.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <optional>

namespace resident {
namespace {

using namespace resident::literals;

class upstream : public testing::TestWithParam<check_level> {
protected:
    /// The pool comes to be full; what is in the way goes at the end.
    void fill_up() {
        // The pool itself would go to upstream: another one takes all there is.
        while (void* run = memory_.try_allocate(arena::granule_size))
            runs_.push_back(run);
    }
    void make_room() {
        for (void* run : runs_)
            memory_.deallocate_run(run);
        runs_.clear();
    }
    ~upstream() override { make_room(); }

    bookkeeper books_;
    arena memory_{{.capacity = 256_KiB}};
    std::optional<unsynchronized_pool_resource> pool_{
        std::in_place, pool_options{.checks = GetParam()}, memory_, &books_};
    std::vector<void*> runs_;
};

TEST_P(upstream, is_not_asked_while_the_arena_has_room) {
    EXPECT_EQ(pool_->upstream_resource(), &books_);
    for (const std::size_t bytes : {1u, 100u, 5000u, 70'000u})
        pool_->deallocate(pool_->allocate(bytes), bytes);
    EXPECT_EQ(books_.served, 0);
}

TEST_P(upstream, takes_over_when_the_arena_is_full) {
    fill_up();
    for (std::size_t alignment = 1; alignment <= 64_KiB; alignment *= 2)
        for (const std::size_t bytes : {0u, 1u, 100u, 5000u, 70'000u}) {
            void* const block = pool_->try_allocate(bytes, alignment);
            ASSERT_NE(block, nullptr);
            std::memset(block, 1, bytes);
            EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignment, 0u);
            EXPECT_FALSE(pool_->owns(block));
            EXPECT_EQ(pool_->statistics().upstream, bytes);
            EXPECT_EQ(books_.out.size(), 1u);
            EXPECT_STREQ(pool_->check(), nullptr);
            pool_->deallocate(block, bytes, alignment);
            EXPECT_TRUE(books_.out.empty());
            EXPECT_EQ(pool_->statistics().upstream, 0u);
        }
    EXPECT_EQ(pool_->statistics().failures, 0u);
}

TEST_P(upstream, is_left_alone_again_when_there_is_room) {
    fill_up();
    void* const theirs = pool_->allocate(100);
    make_room();
    void* const ours = pool_->allocate(100);
    EXPECT_FALSE(pool_->owns(theirs));
    EXPECT_TRUE(pool_->owns(ours));
    pool_->deallocate(theirs, 100);
    EXPECT_TRUE(books_.out.empty());
    pool_->deallocate(ours, 100);
    EXPECT_EQ(books_.served, 1);
    EXPECT_STREQ(pool_->check(), nullptr);
}

TEST_P(upstream, gets_its_blocks_back_in_any_order) {
    fill_up();
    std::vector<void*> blocks;
    for (int i = 0; i < 9; ++i)
        blocks.push_back(pool_->allocate(64));
    for (const std::size_t index : {4u, 0u, 8u, 1u, 7u, 3u, 2u, 6u, 5u}) {
        pool_->deallocate(blocks[index], 64);
        EXPECT_STREQ(pool_->check(), nullptr);
    }
    EXPECT_TRUE(books_.out.empty());
}

TEST_P(upstream, gets_its_blocks_back_on_release_and_with_the_pool) {
    fill_up();
    for (const std::size_t bytes : {10u, 100u, 10'000u})
        (void)pool_->allocate(bytes);
    EXPECT_EQ(books_.out.size(), 3u);
    pool_->release();
    EXPECT_TRUE(books_.out.empty());
    EXPECT_EQ(pool_->statistics().upstream, 0u);
    if (GetParam() == check_level::full)
        return; // a pool that is destroyed with blocks in use reports a leak
    (void)pool_->allocate(10);
    EXPECT_EQ(books_.out.size(), 1u);
    pool_.reset();
    EXPECT_TRUE(books_.out.empty());
}

TEST_P(upstream, sizes_that_overflow_are_refused_before_it_is_asked) {
    for (const std::size_t bytes : {~std::size_t{0}, ~std::size_t{0} - 31})
        EXPECT_EQ(pool_->try_allocate(bytes, 8), nullptr) << bytes;
    EXPECT_EQ(books_.served, 0);
    EXPECT_EQ(pool_->statistics().failures, 2u);
}

#if defined(__cpp_exceptions)
TEST_P(upstream, what_it_throws_is_thrown_and_is_null_through_try_allocate) {
    struct told {
        int times = 0;
        std::size_t bytes = 0;
    } observed;
    const failure_observer observer{
        .notify =
            [](void* context, std::size_t bytes, std::size_t, const pool_statistics&) noexcept {
                static_cast<told*>(context)->times++;
                static_cast<told*>(context)->bytes = bytes;
            },
        .context = &observed};
    pool_.emplace(pool_options{.checks = GetParam(), .on_failure = observer}, memory_, &books_);
    fill_up();
    books_.refuses = true;
    const std::size_t in_use = pool_->statistics().in_use;
    EXPECT_EQ(pool_->try_allocate(100), nullptr);
    EXPECT_EQ(pool_->statistics().failures, 1u);
    EXPECT_EQ(observed.times, 1);
    EXPECT_EQ(observed.bytes, 100u);
    EXPECT_THROW((void)pool_->allocate(200), bookkeeper::refusal);
    EXPECT_EQ(pool_->statistics().failures, 2u);
    EXPECT_EQ(observed.times, 2);
    EXPECT_EQ(observed.bytes, 200u);
    EXPECT_EQ(pool_->statistics().in_use, in_use);
    EXPECT_EQ(pool_->statistics().upstream, 0u);
    books_.refuses = false;
    pool_->deallocate(pool_->allocate(100), 100);
    EXPECT_STREQ(pool_->check(), nullptr);
}

TEST_P(upstream, none_is_bad_alloc) {
    for (std::pmr::memory_resource* none :
         {static_cast<std::pmr::memory_resource*>(nullptr), std::pmr::null_memory_resource()}) {
        unsynchronized_pool_resource alone{pool_options{.checks = GetParam()}, memory_, none};
        EXPECT_EQ(alone.upstream_resource(), std::pmr::null_memory_resource());
        EXPECT_THROW((void)alone.allocate(1_MiB), std::bad_alloc);
        EXPECT_EQ(alone.try_allocate(1_MiB), nullptr);
        EXPECT_EQ(alone.statistics().failures, 2u);
    }
}
#endif

INSTANTIATE_TEST_SUITE_P(checked, upstream,
                         testing::Values(check_level::off, check_level::cheap, check_level::full),
                         [](const auto& each) { return to_string(each.param); });

} // namespace
} // namespace resident
