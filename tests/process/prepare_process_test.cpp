// Concerns
//   prepare_process does each item that is asked for and no other, tells the truth about each, and
//   has the effect that a real-time program needs: no fault in code, in malloc, in other threads.
// Plan
//   1. The report: names, order, outcomes when a call fails or is unknown, printing.
//   2. malloc: a second thread allocates without a fault; the recipe in common use beside it, as
//   the
//      control, faults.
//   3. Code: every loadable page of the program locked; with a small limit, populated, with room
//   left
//      for an arena.
//   4. mlockall and its undoing; refusals. 5. Page merging.
//   All in children: these settings are the process's for good.
#include "process/step_named.hpp"
#include "resident/memory_limit.hpp"
#include "resident/page_lock.hpp"
#include "resident/prepare.hpp"
#include "resident/residency.hpp"
#include "support/build.hpp"
#include "support/child.hpp"
#include "support/failing_kernel.hpp"
#include "support/guarded_cgroup.hpp"
#include "support/process_state.hpp"
#include "support/touching.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <link.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

namespace resident {
namespace {

using test::failing_kernel;
using test::fresh_pages;
using test::page;
using test::run_in_child;
using test::step_named;
using test::vm_locked_bytes;
using ::testing::HasSubstr;
using call = failing_kernel::call;

constexpr process_options nothing{.raise_memory_limit = false,
                                  .keep_malloc_memory = false,
                                  .single_malloc_arena = false,
                                  .exclude_from_merging = false,
                                  .touch_clock = false,
                                  .lock_code = false};

// ---------------------------------------------------------------- 1. The report

TEST(PrepareProcess, DoesNothingThatIsNotAskedFor) {
    const auto child = run_in_child({}, [] {
        failing_kernel kernel;
        const os::kernel_replacement in_force(kernel);
        const auto done = prepare_process(nothing);
        ASSERT_TRUE(done);
        EXPECT_EQ(done->steps().size(), 7U);
        for (const auto& step : done->steps())
            EXPECT_EQ(step.outcome, preparation_outcome::not_asked) << step.name;
        EXPECT_TRUE(done->complete());
        EXPECT_EQ(kernel.calls(), 0U);
    });
    EXPECT_TRUE(child.passed()) << child.output;
}

TEST(PrepareProcess, DoesAllThatIsAskedForByDefault) {
    const auto child = run_in_child({}, [] {
        const auto done = prepare_process();
        ASSERT_TRUE(done);
        for (const auto& step : done->steps()) {
            EXPECT_EQ(step.outcome == preparation_outcome::not_asked,
                      step.name == "lock all memory")
                << step.name;
            EXPECT_NE(step.outcome, preparation_outcome::failed) << step.name;
        }
    });
    EXPECT_TRUE(child.passed()) << child.output;
}

TEST(PrepareProcess, TellsAFailureFromAMissingFeature) {
    const auto outcome_of_merging_after = [](int error_number) {
        failing_kernel kernel;
        kernel.fail(call::control_process, 1, error_number);
        const os::kernel_replacement in_force(kernel);
        auto options = nothing;
        options.exclude_from_merging = true;
        return prepare_process(options);
    };
    const auto unknown = outcome_of_merging_after(EINVAL);
    EXPECT_EQ(step_named(*unknown, "exclude from page merging").outcome,
              preparation_outcome::not_supported);
    EXPECT_TRUE(unknown->complete());
    const auto refused = outcome_of_merging_after(EPERM);
    const auto step = step_named(*refused, "exclude from page merging");
    EXPECT_EQ(step.outcome, preparation_outcome::failed);
    EXPECT_EQ(step.error_number, EPERM);
    EXPECT_FALSE(refused->complete());
}

TEST(PrepareProcess, PrintsOneLineAStep) {
    preparation done;
    done.add({"first", preparation_outcome::done, 0, 8192});
    done.add({"second", preparation_outcome::failed, EPERM});
    done.add({"third", preparation_outcome::not_asked});
    done.add({"fourth", preparation_outcome::not_supported});
    done.add({"fifth", preparation_outcome::done_in_part, 0, 4096});
    std::ostringstream out;
    out << done;
    EXPECT_EQ(out.str(), "first                       done, 8 KiB\n"
                         "second                      failed: Operation not permitted\n"
                         "third                       not asked for\n"
                         "fourth                      not supported here\n"
                         "fifth                       done in part, 4 KiB\n");
    EXPECT_FALSE(done.complete());
}

// ---------------------------------------------------------------- 2. malloc

constexpr std::size_t demand = 4U << 20U;

/// What every recipe does: take as much as will be needed, touch it, give it back.
void reserve_malloc_memory() {
    void* const block = std::malloc(4 * demand);
    (void)test::write_faults(block, 4 * demand);
    std::free(block);
}

/// Minor faults of a second thread that allocates and writes `demand` bytes.
std::uint64_t faults_of_second_thread(bool prepared) {
    std::uint64_t faults = 0;
    std::thread([&] {
        EXPECT_EQ(prepared, prepared && prepare_this_thread());
        char* blocks[demand / 65536];
        const fault_counter counter;
        for (char*& block : blocks) {
            block = static_cast<char*>(std::malloc(65536));
            (void)test::write_faults(block, 65536);
        }
        faults = counter.count().minor;
        for (char* block : blocks)
            std::free(block);
    }).join();
    return faults;
}

/// In a program of its own: a forked child would inherit the arenas of earlier threads.
class PreparedMalloc : public ::testing::Test {
protected:
    void SetUp() override {
        if (test::sanitized)
            GTEST_SKIP() << "malloc is the sanitizer's own";
        GTEST_FLAG_SET(death_test_style, "threadsafe");
    }
    static void end() { std::_Exit(::testing::Test::HasFailure() ? 1 : 0); }
};

TEST_F(PreparedMalloc, ASecondThreadAllocatesWithoutAFault) {
    const auto body = [] {
        EXPECT_TRUE(prepare_process());
        reserve_malloc_memory();
        EXPECT_EQ(faults_of_second_thread(true), 0U);
        end();
    };
    EXPECT_EXIT(body(), ::testing::ExitedWithCode(0), "");
}

TEST_F(PreparedMalloc, TheRecipeInCommonUseFaultsThere) {
    const auto body = [] {
        ::syscall(SYS_mlockall, 1 | 2); // where it is permitted; it changes little
        ::mallopt(M_TRIM_THRESHOLD, -1);
        ::mallopt(M_MMAP_MAX, 0);
        reserve_malloc_memory();
        EXPECT_GT(faults_of_second_thread(false), 500U);
        end();
    };
    EXPECT_EXIT(body(), ::testing::ExitedWithCode(0), "");
}

TEST_F(PreparedMalloc, WhatWasFreedStays) {
    const auto body = [] {
        EXPECT_TRUE(prepare_process());
        reserve_malloc_memory();
        const fault_counter counter;
        void* const block = std::malloc(demand); // above the threshold of mmap
        (void)test::write_faults(block, demand);
        std::free(block);
        EXPECT_EQ(counter.count().minor, 0U);
        end();
    };
    EXPECT_EXIT(body(), ::testing::ExitedWithCode(0), "");
}

// ---------------------------------------------------------------- 3. Code

struct segment {
    const char* begin;
    std::size_t bytes;
};

std::vector<segment> segments_of_program() {
    std::vector<segment> found;
    ::dl_iterate_phdr(
        [](dl_phdr_info* object, std::size_t, void* context) {
            for (int index = 0; index < object->dlpi_phnum; ++index) {
                const auto& header = object->dlpi_phdr[index];
                const auto first = object->dlpi_addr + header.p_vaddr;
                const auto begin = first / page * page;
                if (header.p_type == PT_LOAD)
                    static_cast<std::vector<segment>*>(context)->push_back(
                        {reinterpret_cast<const char*>(begin), first + header.p_memsz - begin});
            }
            return 1; // the program is the first
        },
        &found);
    return found;
}

process_options code_alone() {
    auto options = nothing;
    options.lock_code = true;
    return options;
}

TEST(PrepareProcessCode, LocksWhatIsLoadedAndTellsHowMuch) {
    const auto child = run_in_child({}, [] {
        if (read_memory_limit()->headroom() != unlimited)
            return;
        const auto done = prepare_process(code_alone());
        const auto step = step_named(*done, "lock code");
        EXPECT_EQ(step.outcome, preparation_outcome::done);
        EXPECT_EQ(step.bytes, vm_locked_bytes());
        const auto segments = segments_of_program();
        EXPECT_GE(segments.size(), 3U);
        for (const auto& segment : segments)
            EXPECT_TRUE(residency(segment.begin, segment.bytes)->all_resident());
        (void)prepare_process(code_alone()); // harmless
        EXPECT_EQ(step.bytes, vm_locked_bytes());
        EXPECT_TRUE(unlock_all_memory());
        EXPECT_EQ(step.bytes, vm_locked_bytes()) << "code is not others' memory";
    });
    EXPECT_TRUE(child.passed()) << child.output;
}

TEST(PrepareProcessCode, LeavesRoomInTheLimitAndPopulatesTheRest) {
    const auto child =
        run_in_child({.keep_ipc_lock = false, .memlock_soft = 6_MiB, .memlock_hard = 6_MiB}, [] {
            const auto done = prepare_process(code_alone());
            const auto step = step_named(*done, "lock code");
            EXPECT_EQ(step.outcome, preparation_outcome::done_in_part);
            EXPECT_FALSE(done->complete());
            EXPECT_EQ(step.bytes, vm_locked_bytes());
            EXPECT_LE(step.bytes, 1_MiB);
            for (const auto& segment : segments_of_program())
                EXPECT_TRUE(residency(segment.begin, segment.bytes)->all_resident());
        });
    if (child.exit_status == test::child_setup_failed)
        GTEST_SKIP() << child.output;
    EXPECT_TRUE(child.passed()) << child.output;
}

// ---------------------------------------------------------------- 4. mlockall

TEST(PrepareProcessLockAll, LocksPresentAndFutureMemoryUntilUnlocked) {
    if (test::sanitized)
        GTEST_SKIP() << "mlockall would populate the shadow memory";
    const auto child = run_in_child({}, [] {
        if (read_memory_limit()->headroom() != unlimited)
            return;
        const fresh_pages present(4);
        auto options = nothing;
        options.lock_all = {.current = true, .future = true};
        const auto done = prepare_process(options);
        ASSERT_TRUE(done) << done.error().what();
        EXPECT_EQ(step_named(*done, "lock all memory").outcome, preparation_outcome::done);
        const fresh_pages future(4);
        EXPECT_EQ(present.locks(), "LLLL");
        EXPECT_EQ(future.locks(), "LLLL");

        const auto kept = page_lock::create(present[1], page);
        ASSERT_TRUE(unlock_all_memory());
        const fresh_pages after(4);
        EXPECT_EQ(present.locks(), "-L--");
        EXPECT_EQ(future.locks(), "----");
        EXPECT_EQ(after.locks(), "----");
    });
    EXPECT_TRUE(child.passed()) << child.output;
}

TEST(PrepareProcessLockAll, RefusesBeyondTheLimitAndLocksNothing) {
    const auto child =
        run_in_child({.keep_ipc_lock = false, .memlock_soft = 1_MiB, .memlock_hard = 1_MiB}, [] {
            auto options = nothing;
            options.lock_all = {.current = true};
            const auto refused = prepare_process(options);
            ASSERT_FALSE(refused);
            EXPECT_EQ(refused.error().cause(), cause::memlock_limit);
            EXPECT_EQ(vm_locked_bytes(), 0U);
        });
    if (child.exit_status == test::child_setup_failed)
        GTEST_SKIP() << child.output;
    EXPECT_TRUE(child.passed()) << child.output;
}

TEST(SerialPrepareProcessLockAll, RefusesBeyondACgroupAndIsNotMetWithTheKiller) {
    if (test::sanitized)
        GTEST_SKIP() << "the shadow memory alone is beyond it";
    std::string reason;
    const auto cgroup = test::guarded_cgroup::create("resident_lock_all", 128_MiB, reason);
    if (!cgroup)
        GTEST_SKIP() << reason;
    const auto child = run_in_child({.cgroup = cgroup->get()}, [] {
        const fresh_pages too_many(192_MiB / page);
        auto options = nothing;
        options.lock_all = {.current = true};
        const auto refused = prepare_process(options);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().cause(), cause::memory_cgroup);
        EXPECT_EQ(vm_locked_bytes(), 0U);
        options.lock_all.on_fault = true; // populates nothing, so it fits
        EXPECT_TRUE(prepare_process(options));
    });
    EXPECT_TRUE(child.passed()) << child.output << " signal " << child.signal;
}

TEST(PrepareProcessLockAll, ReportsWhatTheKernelSays) {
    for (const int error_number : {ENOMEM, EPERM, EAGAIN}) {
        failing_kernel kernel;
        kernel.fail(call::lock_all, 1, error_number);
        const os::kernel_replacement in_force(kernel);
        auto options = nothing;
        options.lock_all = {.future = true};
        const auto refused = prepare_process(options);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().operation(), operation::lock);
        EXPECT_EQ(refused.error().error_number(), error_number);
    }
    EXPECT_EQ(vm_locked_bytes(), 0U);
}

TEST(PrepareProcessLockAll, UnlockingReportsWhatTheKernelSays) {
    failing_kernel kernel;
    kernel.fail(call::unlock_all, 1, EPERM);
    const os::kernel_replacement in_force(kernel);
    const auto refused = unlock_all_memory();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error_number(), EPERM);
}

// ---------------------------------------------------------------- 5. Page merging

TEST(PrepareProcessMerging, IsSwitchedOff) {
    if (test::sanitized)
        GTEST_SKIP() << "the kernel would walk the shadow memory, for minutes";
    constexpr int set_memory_merge = 67;
    constexpr int get_memory_merge = 68;
    const auto child = run_in_child({}, [] {
        if (::prctl(set_memory_merge, 1UL, 0UL, 0UL, 0UL) != 0)
            return; // before Linux 6.4, or without KSM
        ASSERT_EQ(::prctl(get_memory_merge, 0UL, 0UL, 0UL, 0UL), 1);
        auto options = nothing;
        options.exclude_from_merging = true;
        ASSERT_TRUE(prepare_process(options)->complete());
        EXPECT_EQ(::prctl(get_memory_merge, 0UL, 0UL, 0UL, 0UL), 0);
    });
    EXPECT_TRUE(child.passed()) << child.output;
}

} // namespace
} // namespace resident
