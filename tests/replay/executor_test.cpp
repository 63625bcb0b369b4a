// Executing a trace: every block is whole on sound sources, whatever the threads do, and sources
// with a known fault are told with that fault, by event and address.
#include "replay/made_up_program.hpp"
#include "resident/arena.hpp"
#include "resident/synchronized_pool_resource.hpp"
#include "resident/unsynchronized_pool_resource.hpp"
#include "support/build.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory_resource>
#include <mutex>
#include <set>
#include <thread>

#include <sys/mman.h>

namespace resident::test {
namespace {

using replay::finding;
using replay::treatment;

arena_options unlocked(std::size_t capacity) {
    return {.capacity = capacity, .pages = page_kind::base, .lock = lock_policy::off};
}

TEST(Executor, FindsNothingWrongWithMalloc) {
    for (const std::uint32_t threads : {1U, 4U}) {
        made_up_program program = busy_program(20'000, threads, 1);
        replay::malloc_source source;
        const replay::execution done = play(program, source);
        EXPECT_EQ(done.refusal.what, finding::kind::none);
        EXPECT_EQ(done.flaw.what, finding::kind::none);
        EXPECT_GT(done.nanoseconds, 0U);
    }
}

TEST(Executor, FindsNothingWrongWithOurPools) {
    made_up_program one = busy_program(20'000, 1, 2);
    arena memory(unlocked(16_MiB));
    unsynchronized_pool_resource pool(memory);
    replay::pool_source source(pool);
    const replay::execution done = play(one, source);
    EXPECT_EQ(done.refusal.what, finding::kind::none);
    EXPECT_EQ(done.flaw.what, finding::kind::none);
    EXPECT_EQ(done.left_in_use, 0U);

    made_up_program many = busy_program(20'000, 5, 3);
    synchronized_pool_resource shared(memory);
    replay::pool_source shared_source(shared);
    const replay::execution together = play(many, shared_source);
    EXPECT_EQ(together.refusal.what, finding::kind::none);
    EXPECT_EQ(together.flaw.what, finding::kind::none);
    EXPECT_EQ(together.left_in_use, 0U);
    EXPECT_EQ(shared.check(), nullptr);
}

/// Notes which threads call.
struct noting_source : replay::malloc_source {
    void* allocate(std::size_t bytes, std::uint8_t alignment_log2) noexcept {
        const std::lock_guard hold(mutex);
        callers.insert(std::this_thread::get_id());
        ++calls;
        return malloc_source::allocate(bytes, alignment_log2);
    }
    std::mutex mutex{};
    std::set<std::thread::id> callers{};
    std::size_t calls = 0;
};

TEST(Executor, EachRecordedThreadIsAThread) {
    made_up_program program;
    program.begin(0);
    constexpr std::uint32_t threads = 300;
    std::vector<std::uint64_t> blocks;
    for (std::uint32_t thread = 1; thread < threads; ++thread)
        program.begin(thread);
    for (int round = 0; round < 3; ++round) {
        for (std::uint32_t thread = 0; thread < threads; ++thread)
            blocks.push_back(program.allocate(thread, 100));
    }
    for (std::size_t block = 0; block < blocks.size(); ++block)
        program.free(static_cast<std::uint32_t>(block + 7) % threads, blocks[block]);
    for (std::uint32_t thread = 1; thread < threads; ++thread)
        program.end(thread);
    noting_source source;
    const replay::execution done = play(program, source, 4096);
    EXPECT_EQ(done.flaw.what, finding::kind::none);
    EXPECT_EQ(source.calls, 3 * threads);
    EXPECT_EQ(source.callers.size(), threads);
    EXPECT_TRUE(source.callers.contains(std::this_thread::get_id())) << "thread 0 is this one";
}

TEST(Executor, ThreadsThatEndMakeRoomForOthers) {
    made_up_program program;
    program.begin(0);
    for (std::uint32_t thread = 1; thread <= 1000; ++thread) {
        program.begin(thread);
        const std::uint64_t block = program.allocate(thread, 50);
        if (thread % 2 == 0)
            program.end(thread);
        program.free(0, block);
        if (thread % 2 == 1)
            program.end(thread);
    }
    noting_source source;
    EXPECT_EQ(play(program, source).flaw.what, finding::kind::none);
    EXPECT_EQ(source.calls, 1000U);
}

/// Remembers the order in which one block after the other was in the threads' hands.
struct ordered_source : replay::malloc_source {
    void* allocate(std::size_t bytes, std::uint8_t alignment_log2) noexcept {
        ++allocated;
        return malloc_source::allocate(bytes, alignment_log2);
    }
    void deallocate(void* block, std::size_t bytes, std::uint8_t alignment_log2) noexcept {
        if (++freed > allocated)
            out_of_order = true;
        malloc_source::deallocate(block, bytes, alignment_log2);
    }
    std::atomic<std::uint64_t> allocated{0};
    std::atomic<std::uint64_t> freed{0};
    std::atomic<bool> out_of_order{false};
};

TEST(Executor, AFreeWaitsForTheAllocationInAnotherThread) {
    made_up_program program;
    program.begin(0);
    program.begin(1);
    constexpr int blocks = 5000;
    for (int block = 0; block < blocks; ++block)
        program.free(1, program.allocate(0, 32));
    ordered_source source;
    EXPECT_EQ(play(program, source, 512).flaw.what, finding::kind::none);
    EXPECT_EQ(source.freed.load(), static_cast<std::uint64_t>(blocks));
    EXPECT_FALSE(source.out_of_order.load());
}

/// Every 50th block is the one before it. What it gave goes with it, not before.
struct overlapping_source : replay::malloc_source {
    ~overlapping_source() {
        for (void* const block : given)
            std::free(block);
    }
    void* allocate(std::size_t bytes, std::uint8_t alignment_log2) noexcept {
        if (++calls % 50 == 0)
            return last;
        given.push_back(last = malloc_source::allocate(bytes + 256, alignment_log2));
        return last;
    }
    void deallocate(void*, std::size_t, std::uint8_t) noexcept {}
    void* reallocate(void* block, std::size_t, std::size_t, std::uint8_t, std::uint8_t) noexcept {
        return block;
    }
    std::vector<void*> given{};
    void* last = nullptr;
    int calls = 0;
};

TEST(BrokenSource, OverlapIsToldWithBothEventsAndTheAddress) {
    made_up_program program;
    std::vector<std::uint64_t> blocks;
    for (int block = 0; block < 60; ++block)
        blocks.push_back(program.allocate(0, 200));
    for (const std::uint64_t block : blocks)
        program.free(0, block);
    overlapping_source source;
    const finding flaw = play(program, source).flaw;
    EXPECT_EQ(flaw.what, finding::kind::overwritten);
    EXPECT_EQ(flaw.block_event, 49U);
    EXPECT_EQ(flaw.other_event, 50U);
    EXPECT_EQ(flaw.event, 60U + 49U) << "where the first of the two is freed";
    EXPECT_EQ(flaw.size, 200U);
    EXPECT_NE(flaw.address, 0U);
    EXPECT_EQ(flaw.offset, 0U);
}

TEST(BrokenSource, OverlapIsSeenAtTheEndOfTheTraceToo) {
    made_up_program program;
    for (int block = 0; block < 60; ++block)
        program.allocate(0, 200);
    overlapping_source source;
    const finding flaw = play(program, source).flaw;
    EXPECT_EQ(flaw.what, finding::kind::overwritten);
    EXPECT_EQ(flaw.event, 0U);
    EXPECT_EQ(flaw.other_event, 50U);
}

/// One byte behind a block of 100 is written to when the next is asked for.
struct scribbling_source : replay::malloc_source {
    void* allocate(std::size_t bytes, std::uint8_t alignment_log2) noexcept {
        if (last != nullptr)
            last[42] = 'x';
        return last = static_cast<char*>(malloc_source::allocate(bytes, alignment_log2));
    }
    char* last = nullptr;
};

TEST(BrokenSource, ABlockThatIsWrittenToIsToldWithTheByte) {
    made_up_program program;
    const std::uint64_t first = program.allocate(0, 100);
    const std::uint64_t second = program.allocate(0, 100);
    program.free(0, first);
    program.free(0, second);
    scribbling_source source;
    const finding flaw = play(program, source).flaw;
    EXPECT_EQ(flaw.what, finding::kind::overwritten);
    EXPECT_EQ(flaw.event, 3U);
    EXPECT_EQ(flaw.block_event, 1U);
    EXPECT_EQ(flaw.other_event, 0U) << "no block's pattern";
    EXPECT_EQ(flaw.offset, 42U);
}

/// Loses what realloc should keep.
struct forgetful_source : replay::malloc_source {
    void* reallocate(void* block, std::size_t, std::size_t bytes, std::uint8_t alignment_log2,
                     std::uint8_t) noexcept {
        malloc_source::deallocate(block, 0, alignment_log2);
        void* const made = malloc_source::allocate(bytes, alignment_log2);
        std::memset(made, 0, bytes);
        return made;
    }
};

TEST(BrokenSource, AReallocationThatLosesTheContentIsTold) {
    made_up_program program;
    program.reallocate(0, program.allocate(0, 64), 128);
    forgetful_source source;
    const finding flaw = play(program, source).flaw;
    EXPECT_EQ(flaw.what, finding::kind::overwritten);
    EXPECT_EQ(flaw.event, 2U);
    EXPECT_EQ(flaw.block_event, 1U);
}

/// Blocks of 64 bytes and more begin 8 bytes too late.
struct misaligned_source : replay::malloc_source {
    void* allocate(std::size_t bytes, std::uint8_t alignment_log2) noexcept {
        auto* const made =
            static_cast<std::byte*>(malloc_source::allocate(bytes + 8, alignment_log2));
        return bytes >= 64 ? made + 8 : made;
    }
    static void deallocate(void* block, std::size_t bytes, std::uint8_t) noexcept {
        std::free(static_cast<std::byte*>(block) - (bytes >= 64 ? 8 : 0));
    }
};

TEST(BrokenSource, MisalignmentIsToldWithTheAlignment) {
    made_up_program program;
    program.allocate(0, 8);
    program.allocate(0, 63, 8);
    program.allocate(0, 64, 8);
    program.allocate(0, 64);
    misaligned_source source;
    finding flaw = play(program, source).flaw;
    EXPECT_EQ(flaw.what, finding::kind::misaligned);
    EXPECT_EQ(flaw.event, 4U) << "8 is what was asked for before";
    EXPECT_EQ(flaw.alignment, 16U);
    EXPECT_EQ(flaw.address % 16, 8U);

    made_up_program page;
    page.allocate(0, 64, 4096);
    flaw = play(page, source).flaw;
    EXPECT_EQ(flaw.what, finding::kind::misaligned);
    EXPECT_EQ(flaw.alignment, 4096U);
}

TEST(BrokenSource, RefusalIsToldWithTheEventAndTheRestGoesOn) {
    made_up_program program;
    std::vector<std::uint64_t> blocks;
    for (int block = 0; block < 100; ++block)
        blocks.push_back(program.allocate(0, 10'000));
    for (const std::uint64_t block : blocks)
        program.free(0, block);
    arena memory(unlocked(512_KiB));
    unsynchronized_pool_resource pool(memory);
    replay::pool_source source(pool);
    const replay::execution done = play(program, source);
    EXPECT_EQ(done.refusal.what, finding::kind::refused);
    EXPECT_GT(done.refusal.event, 30U);
    EXPECT_LE(done.refusal.event, 53U) << "where 512 KiB are surely full";
    EXPECT_EQ(done.refusal.size, 10'000U);
    EXPECT_EQ(done.flaw.what, finding::kind::none);
    EXPECT_EQ(done.left_in_use, 0U);
}

/// A pool that drops each tenth block that is freed.
struct leaking_source : replay::pool_source<unsynchronized_pool_resource> {
    using replay::pool_source<unsynchronized_pool_resource>::pool_source;
    void deallocate(void* block, std::size_t bytes, std::uint8_t alignment_log2) noexcept {
        if (++calls % 10 != 0)
            pool_source::deallocate(block, bytes, alignment_log2);
    }
    int calls = 0;
};

TEST(BrokenSource, ALeakIsToldInBytes) {
    made_up_program program;
    for (int block = 0; block < 1000; ++block)
        program.free(0, program.allocate(0, 64));
    arena memory(unlocked(1_MiB));
    unsynchronized_pool_resource pool(memory);
    leaking_source source(pool);
    EXPECT_EQ(play(program, source).left_in_use, 100U * 64);
}

/// Takes a fifth of a millisecond to free a block.
struct slow_source : replay::malloc_source {
    static void deallocate(void* block, std::size_t bytes, std::uint8_t alignment_log2) noexcept {
        std::this_thread::sleep_for(std::chrono::microseconds(200));
        malloc_source::deallocate(block, bytes, alignment_log2);
    }
};

TEST(BrokenSource, AKnownDelayIsInTheTime) {
    made_up_program program;
    for (int block = 0; block < 100; ++block)
        program.free(0, program.allocate(0, 64));
    slow_source source;
    EXPECT_GE(play<treatment::touch>(program, source).nanoseconds, 100U * 200'000);
}

/// A new page for each block.
struct faulting_source {
    static constexpr bool gives_memory = true;
    static void* allocate(std::size_t, std::uint8_t) noexcept {
        return ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    static void deallocate(void* block, std::size_t, std::uint8_t) noexcept {
        ::munmap(block, 4096);
    }
    static void* reallocate(void* block, std::size_t, std::size_t, std::uint8_t,
                            std::uint8_t) noexcept {
        return block;
    }
};

TEST(BrokenSource, KnownFaultsAreCounted) {
    made_up_program program;
    program.begin(0);
    program.begin(1);
    constexpr std::uint64_t blocks = 500;
    for (std::uint64_t block = 0; block < blocks; ++block)
        program.free(block % 2, program.allocate(block % 2, 64));
    faulting_source source;
    const faults taken = play<treatment::touch>(program, source).page_faults;
    EXPECT_GE(taken.minor, blocks);
    EXPECT_LE(taken.minor, blocks + 20 + runtime_faults(1000));
    EXPECT_EQ(taken.major, 0U);
}

/// After a first run, which has what all runs share: code, and what the process has once.
template <class Source>
void expect_no_fault_of(made_up_program& program, Source& source) {
    play<treatment::touch>(program, source);
    for (int run = 0; run < 4; ++run)
        EXPECT_EQ(play<treatment::touch>(program, source).page_faults, faults{}) << "run " << run;
}

TEST(Executor, TakesNoFaultOfItsOwn) {
    if (sanitized)
        GTEST_SKIP() << "a sanitizer's shadow memory faults";
    arena memory(unlocked(16_MiB));
    synchronized_pool_resource pool(memory);
    replay::pool_source source(pool);
    replay::empty_source nothing;
    for (const std::uint32_t threads : {1U, 3U, 60U}) {
        made_up_program program = busy_program(20'000, threads, 4);
        expect_no_fault_of(program, source);
        expect_no_fault_of(program, nothing);
    }
}

} // namespace
} // namespace resident::test
