// Concerns: each page kind is obtained where it can be had, reported as obtained, proved resident;
// automatic falls back reserved huge -> transparent huge -> base.
// Plan: base and transparent pages directly; reserved huge pages with the administrator's pool set
// for the while (as root); kernels without a feature through failing calls.

#include <resident/resident.hpp>

#include "os/harness/system_setting.hpp"
#include "os/kernel.hpp"
#include "os/kernel_constants.hpp"
#include "os/mappings.hpp"
#include "support/build.hpp"
#include "support/child.hpp"
#include "support/failing_kernel.hpp"
#include "support/process_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace resident {
namespace {

using namespace resident::literals;
using testing::HasSubstr;
using call = test::failing_kernel::call;

bool transparent_huge_pages_enabled() {
    std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
    std::string line;
    return std::getline(file, line) && line.find("[never]") == std::string::npos;
}

TEST(arena_pages, base_pages_have_no_huge_one_among_them) {
    const arena memory{{.capacity = 8_MiB, .pages = page_kind::base}};
    EXPECT_EQ(memory.pages(), page_kind::base);
    EXPECT_EQ(memory.verify()->huge, 0u);
    EXPECT_TRUE(memory.verify()->resident);
}

TEST(arena_pages, transparent_huge_pages_are_obtained_and_reported) {
    if (!transparent_huge_pages_enabled())
        GTEST_SKIP() << "transparent huge pages are off here";
    const arena memory{{.capacity = 8_MiB, .pages = page_kind::transparent_huge}};
    const auto proof = memory.verify();
    EXPECT_TRUE(proof->resident);
    EXPECT_EQ(memory.pages(), proof->huge != 0 ? page_kind::transparent_huge : page_kind::base);
    EXPECT_GT(proof->huge, 0u) << "of 23 GiB mostly free RAM, no 2 MiB in one piece?";
}

TEST(arena_pages, transparent_huge_is_reported_as_base_when_too_small) {
    const arena memory{{.capacity = 1_MiB, .pages = page_kind::transparent_huge}};
    EXPECT_EQ(memory.pages(), page_kind::base);
}

/// A kernel built without transparent huge pages and without KSM.
class plain_kernel : public os::kernel {
public:
    os::outcome advise(void* address, std::size_t bytes, int advice) noexcept override {
        for (const int unknown :
             {os::huge_page_advice, os::no_huge_page_advice, os::unmergeable_advice})
            if (advice == unknown)
                return os::outcome::failure(EINVAL);
        return os::kernel::advise(address, bytes, advice);
    }
};

TEST(arena_pages, without_transparent_huge_pages_in_the_kernel) {
    plain_kernel kernel;
    const os::kernel_replacement in_force(kernel);
    const auto asked = arena::create({.capacity = 2_MiB, .pages = page_kind::transparent_huge});
    ASSERT_FALSE(asked);
    EXPECT_EQ(asked.error().operation(), operation::advise);
    const auto automatic = arena::create({.capacity = 2_MiB});
    ASSERT_TRUE(automatic) << automatic.error().what();
    EXPECT_NE(automatic->pages(), page_kind::transparent_huge);
    EXPECT_TRUE(automatic->verify()->resident);
}

TEST(arena_pages, growth_ends_where_a_huge_page_can_begin) {
    if (!transparent_huge_pages_enabled())
        GTEST_SKIP() << "transparent huge pages are off here";
    arena memory{{.capacity = 3_MiB, .max_capacity = 33_MiB}};
    EXPECT_EQ(memory.grow(2_MiB), 3_MiB);
    for (std::size_t capacity = 6_MiB; capacity < 32_MiB; capacity += 2_MiB)
        EXPECT_EQ(memory.grow(2_MiB), 2_MiB);
    EXPECT_EQ(memory.grow(2_MiB), 1_MiB);
    // All but the first 4 MiB, where a chunk ends within a huge page, and the last odd one.
    EXPECT_GE(memory.verify()->huge, 26_MiB);
}

TEST(arena_pages, before_Linux_5_14_pages_are_populated_by_locking) {
    test::failing_kernel kernel;
    kernel.fail(call::lock_on_fault, 0, ENOSYS);
    const os::kernel_replacement in_force(kernel);
    const arena memory{{.capacity = 5_MiB, .pages = page_kind::base}};
    EXPECT_TRUE(memory.verify()->resident);
    // Bookkeeping, then the data in steps of 2 MiB.
    EXPECT_EQ(kernel.calls(call::lock), 1u + 3u);
}

/// Bodies run in a child, so that the pool is set back whatever becomes of them.
class Serial_arena_reserved_pages : public testing::Test {
protected:
    void with_pool_of(int pages, const std::function<void()>& body) {
        std::string reason;
        const auto pool =
            os::system_setting::change("/proc/sys/vm/nr_hugepages", std::to_string(pages), reason);
        if (!pool)
            GTEST_SKIP() << reason;
        if (std::stoi(pool->now()) != pages)
            GTEST_SKIP() << "the kernel reserved " << pool->now() << " huge pages of " << pages;
        const auto child = test::run_in_child({}, body);
        EXPECT_TRUE(child.passed()) << "signal " << child.signal << '\n' << child.output;
    }
};

TEST_F(Serial_arena_reserved_pages, are_used_pinned_and_not_charged) {
    with_pool_of(4, [] {
        const std::size_t before = test::vm_locked_bytes();
        arena memory{{.capacity = 4_MiB, .max_capacity = 8_MiB, .pages = page_kind::huge_2M}};
        EXPECT_EQ(memory.pages(), page_kind::huge_2M);
        EXPECT_TRUE(memory.locked());
        EXPECT_EQ(test::vm_locked_bytes() - before, memory.statistics().locked);
        EXPECT_EQ(memory.statistics().locked, memory.statistics().bookkeeping);
        auto proof = memory.verify();
        EXPECT_TRUE(proof->resident);
        EXPECT_EQ(proof->huge, 4_MiB);
        EXPECT_EQ(memory.grow(1), 2_MiB);
        proof = memory.verify();
        EXPECT_TRUE(proof->resident);
        EXPECT_EQ(proof->huge, 6_MiB);
        EXPECT_NE(memory.try_allocate(6_MiB), nullptr);
    });
}

TEST_F(Serial_arena_reserved_pages, automatic_prefers_them_and_falls_back) {
    with_pool_of(2, [] {
        const arena growing{{.capacity = 2_MiB, .max_capacity = 6_MiB}};
        EXPECT_NE(growing.pages(), page_kind::huge_2M) << "there are none for its growth";
        const arena huge{{.capacity = 4_MiB}};
        EXPECT_EQ(huge.pages(), page_kind::huge_2M);
        const arena next{{.capacity = 4_MiB}};
        EXPECT_NE(next.pages(), page_kind::huge_2M);
        EXPECT_TRUE(next.verify()->resident);
        const arena wiped{{.capacity = 4_MiB, .on_fork = fork_policy::wipe}};
        EXPECT_NE(wiped.pages(), page_kind::huge_2M);
    });
}

TEST_F(Serial_arena_reserved_pages, a_short_pool_is_an_error_that_tells_the_remedy) {
    with_pool_of(1, [] {
        const auto before = test::process_state::now();
        const auto made = arena::create({.capacity = 4_MiB, .pages = page_kind::huge_2M});
        ASSERT_FALSE(made);
        EXPECT_STREQ(to_string(made.error().cause()), "huge_pages");
        EXPECT_EQ(made.error().operation(), operation::populate);
        EXPECT_EQ(made.error().error_number(), EFAULT);
        EXPECT_THAT(made.error().remedy(), HasSubstr("hugepages"));
        EXPECT_EQ(test::process_state::now(), before);
        arena memory{{.capacity = 2_MiB, .max_capacity = 4_MiB, .pages = page_kind::huge_2M}};
        EXPECT_FALSE(memory.try_grow(2_MiB));
        EXPECT_TRUE(memory.verify()->resident);
    });
}

TEST_F(Serial_arena_reserved_pages, a_short_pool_never_touches_what_others_map) {
    // mmap(MAP_FIXED) of more huge pages than there are fails after it has unmapped what was
    // there; another thread's mapping may then come to lie where the arena believes its own is.
    with_pool_of(2, [] {
        std::atomic<bool> stop{false};
        std::atomic<int> destroyed{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < 3; ++i)
            threads.emplace_back([&] {
                os::kernel& kernel = os::system();
                while (!stop) {
                    const auto mapped =
                        kernel.map(nullptr, 2_MiB, os::read_write, os::reserve_flags);
                    if (!mapped)
                        continue;
                    auto* begin = reinterpret_cast<std::byte*>(mapped.value());
                    std::this_thread::yield();
                    if (os::outcome same = kernel.protect(begin, 2_MiB, os::read_write); !same)
                        ++destroyed;
                    (void)kernel.unmap(begin, 2_MiB);
                }
            });
        for (int i = 0; i < (test::sanitized ? 50 : 500); ++i) {
            EXPECT_FALSE(arena::create({.capacity = 64_MiB, .pages = page_kind::huge_2M}));
            arena memory{{.capacity = 2_MiB, .max_capacity = 64_MiB, .pages = page_kind::huge_2M}};
            EXPECT_FALSE(memory.try_grow(16_MiB));
            EXPECT_EQ(memory.try_grow(2_MiB).has_value(), true);
        }
        stop = true;
        for (std::thread& thread : threads)
            thread.join();
        EXPECT_EQ(destroyed, 0);
    });
}

} // namespace
} // namespace resident
