// Concerns: after set-up, allocate and deallocate make no page fault and no system call.
// Plan: a million random operations with every page of each run written, faults counted; the same
// in a child under strict seccomp, where any system call but read, write and exit is death.

#include <resident/resident.hpp>

#include "support/build.hpp"
#include "support/child.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace resident {
namespace {

using namespace resident::literals;

/// Allocates, writes and frees at random; touches no memory but the arena and its own frame.
std::size_t churn(arena& memory, int operations) {
    std::array<void*, 64> runs{};
    std::size_t served = 0;
    std::uint32_t random = 1;
    for (int i = 0; i < operations; ++i) {
        random = random * 1664525u + 1013904223u;
        void*& run = runs[random >> 26];
        if (run != nullptr) {
            memory.deallocate_run(run);
            run = nullptr;
            continue;
        }
        const std::size_t bytes = (random >> 8) % 40'000 + 1;
        const std::size_t alignment = std::size_t{1} << (random >> 4) % 16;
        run = memory.try_allocate(bytes, alignment);
        if (run == nullptr)
            continue;
        ++served;
        for (std::size_t at = 0; at < bytes; at += 4_KiB)
            static_cast<char*>(run)[at] = 1;
    }
    for (void* run : runs)
        if (run != nullptr)
            memory.deallocate_run(run);
    return served;
}

TEST(arena_steady_state, a_million_operations_make_no_fault) {
    arena memory{{.capacity = 512_KiB}};
    churn(memory, 1000); // code pages and the stack: touched once
    const fault_counter counter;
    const std::size_t served = churn(memory, 1'000'000);
    const faults counted = counter.count();
    EXPECT_GT(served, 300'000u);
    EXPECT_GT(memory.statistics().failures, 0u); // exhaustion was part of it
    EXPECT_EQ(counted.major, 0u);
    if (!test::sanitized) {
        EXPECT_EQ(counted.minor, 0u);
    }
}

TEST(arena_steady_state, a_million_operations_make_no_system_call) {
    if (test::thread_sanitized)
        GTEST_SKIP() << "ThreadSanitizer's runtime makes system calls";
    constexpr int survived = 42;
    const auto child = test::run_in_child({}, [] {
        arena memory{{.capacity = 512_KiB}};
        churn(memory, 1000);
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
            _exit(1);
        churn(memory, 1'000'000);
        syscall(SYS_exit, survived);
    });
    EXPECT_EQ(child.signal, 0);
    EXPECT_EQ(child.exit_status, survived) << child.output;
}

TEST(arena_steady_state, the_control_malloc_does_make_system_calls) {
    if (test::sanitized)
        GTEST_SKIP() << "malloc is the sanitizer's";
    const auto child = test::run_in_child({}, [] {
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0)
            _exit(1);
        void* volatile block = std::malloc(8_MiB);
        syscall(SYS_exit, block == nullptr);
    });
    EXPECT_EQ(child.signal, SIGKILL);
}

} // namespace
} // namespace resident
