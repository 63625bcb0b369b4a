// Concerns: every block, and jemalloc's metadata, lies in the arena; memory goes back to it, by
// trim(), release(), at once if so asked, and at the end; exhaustion is an answer, after which
// everything serves again; several resources on one arena, several threads on one resource; errors
// and misuse; what fork() does; the program's malloc stays the C library's.
// Plan: the arena's statistics and check() are the judge. Each extent is one run of the arena, so a
// byte that jemalloc loses or gives back wrongly shows there.

#include <resident/jemalloc_resource.hpp>
#include <resident/unsynchronized_pool_resource.hpp>

#include "support/build.hpp"
#include "support/child.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <dlfcn.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace resident {
namespace {

using namespace resident::literals;

struct block {
    void* address;
    std::size_t bytes;
};

bool is_within(arena& memory, const block& each) {
    return memory.owns(each.address) &&
           memory.owns(static_cast<std::byte*>(each.address) + each.bytes - 1);
}

/// Blocks of `bytes` until one is refused.
std::vector<block> fill(jemalloc_resource& heap, std::size_t bytes) {
    std::vector<block> blocks;
    while (void* const address = heap.try_allocate(bytes))
        blocks.push_back({address, bytes});
    return blocks;
}

void free_all(jemalloc_resource& heap, const std::vector<block>& blocks) {
    for (const block& each : blocks)
        heap.deallocate(each.address, each.bytes);
}

/// Sizes of slabs and of extents, at random; what was written is there when it is freed.
void come_and_go(jemalloc_resource& heap, int times, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<block> live;
    for (int i = 0; i < times; ++i) {
        if (!live.empty() && (random() % 2 == 0 || live.size() > 200)) {
            std::swap(live[random() % live.size()], live.back());
            const auto* const content = static_cast<unsigned char*>(live.back().address);
            ASSERT_EQ(content[0], static_cast<unsigned char>(live.back().bytes));
            ASSERT_EQ(content[live.back().bytes - 1], static_cast<unsigned char>(seed));
            heap.deallocate(live.back().address, live.back().bytes);
            live.pop_back();
            continue;
        }
        const std::size_t bytes = 2 + random() % (std::size_t{1} << random() % 16);
        void* const address = heap.try_allocate(bytes);
        if (address == nullptr)
            continue;
        ASSERT_TRUE(is_within(heap.source(), {address, bytes}));
        static_cast<unsigned char*>(address)[0] = static_cast<unsigned char>(bytes);
        static_cast<unsigned char*>(address)[bytes - 1] = static_cast<unsigned char>(seed);
        live.push_back({address, bytes});
    }
    free_all(heap, live);
}

TEST(jemalloc_resource, serves_from_the_arena_alone) {
    arena memory{{.capacity = 8_MiB}};
    {
        jemalloc_resource heap{memory};
        EXPECT_EQ(&heap.source(), &memory);
        EXPECT_TRUE(heap.options().keep_free_extents);
        const jemalloc_statistics begin = heap.statistics();
        EXPECT_EQ(begin.in_use, 0u);
        EXPECT_GE(begin.held, jemalloc_resource::least_metadata);
        EXPECT_EQ(begin.held, memory.statistics().in_use); // metadata lies there, too
        for (const std::size_t bytes : {1u, 100u, 4096u, 20'000u, 1'000'000u}) {
            void* const address = heap.allocate(bytes);
            EXPECT_TRUE(is_within(memory, {address, bytes}));
            EXPECT_GE(heap.usable_size(address), bytes);
            EXPECT_GE(heap.statistics().in_use, bytes);
            EXPECT_EQ(heap.statistics().held, memory.statistics().in_use);
            heap.deallocate(address);
        }
        EXPECT_EQ(heap.statistics().in_use, 0u);
        EXPECT_GE(heap.statistics().peak_held, begin.held + 1'000'000);
    }
    EXPECT_EQ(memory.statistics().in_use, 0u);
    EXPECT_EQ(memory.statistics().runs_in_use, 0u);
    EXPECT_STREQ(memory.check(), nullptr);
}

TEST(jemalloc_resource, gives_free_extents_back_when_trimmed) {
    arena memory{{.capacity = 16_MiB}};
    jemalloc_resource heap{memory};
    const std::size_t before = heap.statistics().held;
    for (const std::size_t bytes : {48u, 3000u, 100'000u}) {
        const std::vector<block> blocks = fill(heap, bytes);
        ASSERT_GT(blocks.size(), 10u);
        free_all(heap, blocks);
        EXPECT_GT(heap.statistics().held, before + 4_MiB) << bytes; // kept
        heap.trim();
        // Metadata for the most extents that there were stays.
        EXPECT_LE(heap.statistics().held, before + jemalloc_resource::least_metadata) << bytes;
        EXPECT_EQ(heap.statistics().held, memory.statistics().in_use);
        EXPECT_STREQ(memory.check(), nullptr);
    }
}

TEST(jemalloc_resource, gives_free_extents_back_at_once_if_asked) {
    arena memory{{.capacity = 8_MiB}};
    jemalloc_resource heap{memory, {.keep_free_extents = false}};
    EXPECT_FALSE(heap.options().keep_free_extents);
    const std::size_t before = memory.statistics().in_use;
    void* const large = heap.allocate(1_MiB);
    EXPECT_GE(memory.statistics().in_use, before + 1_MiB);
    heap.deallocate(large, 1_MiB);
    EXPECT_EQ(memory.statistics().in_use, before);
}

TEST(jemalloc_resource, gives_back_part_of_what_it_took_in_one_piece) {
    arena memory{{.capacity = 8_MiB}};
    jemalloc_resource heap{memory};
    heap.deallocate(heap.allocate(1_MiB), 1_MiB); // kept as one extent
    const std::size_t kept = memory.statistics().in_use;
    void* const part = heap.allocate(100'000); // and split for this
    EXPECT_EQ(memory.statistics().in_use, kept);
    heap.trim();
    EXPECT_LT(memory.statistics().in_use, kept - 800'000);
    heap.deallocate(part, 100'000);
    EXPECT_STREQ(memory.check(), nullptr);
}

TEST(jemalloc_resource, release_frees_everything) {
    arena memory{{.capacity = 8_MiB}};
    jemalloc_resource heap{memory};
    const std::size_t once = fill(heap, 1000).size();
    const std::size_t small = heap.statistics().held;
    heap.release();
    EXPECT_EQ(heap.statistics().in_use, 0u);
    EXPECT_LT(heap.statistics().held, small / 2);
    EXPECT_GE(fill(heap, 1000).size(), once);
}

TEST(jemalloc_resource, when_exhausted_free_extents_are_joined_first) {
    arena memory{{.capacity = 8_MiB}};
    jemalloc_resource heap{memory};
    free_all(heap, fill(heap, 20_KiB)); // until one is refused
    EXPECT_EQ(heap.statistics().failures, 1u);
    const std::size_t largest = 3_MiB; // of what was all in pieces of 24 KiB
    void* const large = heap.try_allocate(largest);
    ASSERT_NE(large, nullptr);
    std::memset(large, 1, largest);
    EXPECT_EQ(heap.statistics().failures, 1u);
    EXPECT_EQ(heap.try_allocate(largest), nullptr);
    EXPECT_EQ(heap.try_allocate(~std::size_t{0}), nullptr);
    EXPECT_EQ(heap.try_allocate(1, std::size_t{1} << 40), nullptr);
    EXPECT_EQ(heap.statistics().failures, 4u);
#if defined(__cpp_exceptions)
    EXPECT_THROW((void)heap.allocate(largest), std::bad_alloc);
#endif
    heap.deallocate(large, largest);
    EXPECT_NE(heap.try_allocate(largest), nullptr);
}

TEST(jemalloc_resource, two_share_an_arena_with_a_pool) {
    arena memory{{.capacity = 16_MiB}};
    unsynchronized_pool_resource pool{memory};
    const std::size_t of_pool = memory.statistics().in_use;
    {
        jemalloc_resource one{memory};
        void* const witness = one.allocate(100'000);
        std::memset(witness, 7, 100'000);
        jemalloc_resource other{memory}; // with extents of the first about
        EXPECT_FALSE(one.is_equal(other));
        EXPECT_TRUE(one.is_equal(one));
        come_and_go(one, 2000, 1);
        come_and_go(other, 2000, 2);
        void* const pooled = pool.allocate(1000);
        const std::vector<block> all = fill(other, 1000);
        EXPECT_EQ(one.try_allocate(2_MiB), nullptr);
        free_all(other, all);
        other.trim(); // what it kept serves the first
        void* const large = one.try_allocate(2_MiB);
        EXPECT_NE(large, nullptr);
        for (std::size_t at = 0; at < 100'000; ++at)
            ASSERT_EQ(static_cast<unsigned char*>(witness)[at], 7);
        pool.deallocate(pooled, 1000);
        pool.trim();
    }
    EXPECT_EQ(memory.statistics().in_use, of_pool);
    EXPECT_STREQ(memory.check(), nullptr);
}

TEST(jemalloc_resource, a_second_on_an_arena_leaves_the_extents_of_the_first_alone) {
    arena memory{{.capacity = 16_MiB}};
    jemalloc_resource one{memory};
    void* const room = memory.allocate(3_MiB, 2_MiB); // for the second's metadata
    const std::vector<block> everywhere = fill(one, 16_KiB);
    memory.deallocate(room, 3_MiB, 2_MiB);
    jemalloc_resource other{memory}; // must not touch tables where these blocks are registered
    for (const block& each : everywhere) {
        ASSERT_GE(one.usable_size(each.address), each.bytes);
        one.deallocate(each.address, each.bytes);
    }
    EXPECT_EQ(one.statistics().in_use, 0u);
    EXPECT_STREQ(memory.check(), nullptr);
}

TEST(jemalloc_resource, arenas_of_jemalloc_are_used_again) {
    arena memory{{.capacity = 8_MiB}};
    for (int i = 0; i < 200; ++i) {
        jemalloc_resource heap{memory};
        ASSERT_NE(heap.try_allocate(100), nullptr); // not freed
    }
    EXPECT_EQ(memory.statistics().in_use, 0u);
}

TEST(jemalloc_resource, threads_allocate_and_free_each_others_blocks) {
    arena memory{{.capacity = 32_MiB}};
    {
        jemalloc_resource heap{memory};
        std::vector<block> passed_on(1000);
        for (block& each : passed_on)
            each = {heap.allocate(64), 64};
        std::vector<std::thread> threads;
        for (unsigned number = 0; number < 4; ++number)
            threads.emplace_back([&, number] {
                EXPECT_TRUE(heap.attach_this_thread());
                for (std::size_t i = number; i < passed_on.size(); i += 4)
                    heap.deallocate(passed_on[i].address, passed_on[i].bytes);
                come_and_go(heap, test::sanitized ? 2000 : 20'000, number);
                heap.trim();
            });
        for (std::thread& each : threads)
            each.join();
        EXPECT_EQ(heap.statistics().in_use, 0u);
        EXPECT_STREQ(memory.check(), nullptr);
    }
    EXPECT_EQ(memory.statistics().in_use, 0u);
}

TEST(jemalloc_resource, an_arena_without_room_is_an_error_with_the_numbers) {
    arena memory{{.capacity = 2_MiB}}; // the state leaves less than 2 MiB
    const auto refused = jemalloc_resource::create(memory);
    ASSERT_FALSE(refused);
    const std::string text = refused.error().what();
    EXPECT_NE(text.find("2097152 bytes for metadata"), std::string::npos) << text;
    EXPECT_NE(text.find("the longest free run is 2093056 bytes"), std::string::npos) << text;
    EXPECT_EQ(memory.statistics().in_use, 0u); // nothing is left behind
    void* const all = memory.allocate(2_MiB);
    EXPECT_FALSE(jemalloc_resource::create(memory));
    memory.deallocate(all, 2_MiB);
#if defined(__cpp_exceptions)
    EXPECT_THROW(jemalloc_resource{memory}, error);
#endif
    arena larger{{.capacity = 8_MiB}};
    auto made = jemalloc_resource::create(larger);
    ASSERT_TRUE(made);
    EXPECT_NE(made->try_allocate(100), nullptr);
}

TEST(jemalloc_resource, foreign_pointers_are_told_and_abort) {
    const auto child = test::run_in_child({}, [] {
        arena memory{{.capacity = 8_MiB}};
        jemalloc_resource heap{memory};
        int on_the_stack = 0;
        heap.deallocate(&on_the_stack);
    });
    EXPECT_EQ(child.signal, SIGABRT);
    EXPECT_NE(child.output.find("not memory of this arena"), std::string::npos) << child.output;
}

/// Builds arena and resource, forks, and tells how the inner child ended.
int status_after_fork(fork_policy policy) {
    arena memory{{.capacity = 8_MiB, .on_fork = policy, .name = "forked"}};
    jemalloc_resource heap{memory};
    void* const address = heap.allocate(100);
    const pid_t child = ::fork();
    if (child == 0) {
        heap.~jemalloc_resource(); // does nothing
        _exit(42);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    come_and_go(heap, 1000, 1); // the parent's goes on
    heap.deallocate(address, 100);
    return status;
}

TEST(jemalloc_resource, a_forked_child_lives_if_the_arena_is_inherited) {
    const auto child = test::run_in_child({}, [] {
        const int status = status_after_fork(fork_policy::inherit);
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 42) << status;
    });
    EXPECT_TRUE(child.passed()) << child.output;
}

// As documented: should a jemalloc to come spare the child, the header can say so.
TEST(jemalloc_resource, a_forked_child_dies_in_fork_if_the_arena_is_excluded) {
    if (test::sanitized)
        GTEST_SKIP() << "the sanitizer reports the child's SIGSEGV";
    const auto child = test::run_in_child({}, [] {
        const int status = status_after_fork(fork_policy::exclude);
        EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV) << status;
    });
    EXPECT_TRUE(child.passed()) << child.output;
}

TEST(jemalloc_resource, a_spawned_program_runs_whatever_the_policy) {
    arena memory{{.capacity = 8_MiB}};
    jemalloc_resource heap{memory};
    char program[] = "/bin/true";
    char* const arguments[] = {program, nullptr};
    pid_t child = -1;
    ASSERT_EQ(::posix_spawn(&child, program, nullptr, nullptr, arguments, environ), 0);
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
}

TEST(jemalloc_resource, malloc_stays_that_of_the_c_library) {
    if (test::sanitized)
        GTEST_SKIP() << "malloc is the sanitizer's";
    Dl_info of_malloc{};
    Dl_info of_printf{};
    ASSERT_NE(::dladdr(::dlsym(RTLD_DEFAULT, "malloc"), &of_malloc), 0);
    ASSERT_NE(::dladdr(::dlsym(RTLD_DEFAULT, "printf"), &of_printf), 0);
    EXPECT_STREQ(of_malloc.dli_fname, of_printf.dli_fname);
}

} // namespace
} // namespace resident
