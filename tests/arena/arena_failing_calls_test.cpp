// Concerns: whatever call to the kernel fails while an arena is built or grown, the error is the
// right one and nothing is left: VmLck, mappings, descriptors and threads as before.
// Plan: (1) the matrix: each call and each errno that the manual or the measured facts give for it;
// (2) fail-at-k: the k-th call of any kind fails, for every k, at building and at growing.

#include <resident/resident.hpp>

#include "os/kernel.hpp"
#include "support/build.hpp"
#include "support/failing_kernel.hpp"
#include "support/process_state.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace resident {
namespace {

using namespace resident::literals;
using call = test::failing_kernel::call;

arena_options growing_options() {
    // Base pages: the calls then come in one order on every machine.
    return {.capacity = 4_MiB, .max_capacity = 64_MiB, .pages = page_kind::base};
}

class arena_failing_calls : public testing::Test {
protected:
    /// The registry of locked pages keeps the memory of its first use.
    void SetUp() override { const arena first{growing_options()}; }
};

/// nullopt: the failure is survived, by another way or because nothing depends on it.
using expected = std::optional<operation>;

struct failing_call {
    call which;
    unsigned nth;
    std::initializer_list<int> error_numbers;
    expected outcome;
    const char* what;
};

// Calls of a build, in order: map and unlock of the bookkeeping's reservation, its chunk, map and
// unlock of the data's reservation, its chunk, the proof. Calls of a chunk: protect; advise
// no_huge_page, unmergeable, exclude_from_fork, exclude_from_dump; prefer_node; name;
// lock_on_fault; advise populate_write a step, after a probe of length 0: `advise` rows therefore
// name the first chunk's first calls only.
const failing_call build_matrix[] = {
    {call::map, 1, {ENOMEM, EINVAL, EPERM, EOVERFLOW}, operation::reserve, "the bookkeeping"},
    {call::map, 2, {ENOMEM, EINVAL, EPERM, EOVERFLOW}, operation::reserve, "the data"},
    {call::map, 0, {EAGAIN}, operation::reserve, "every reservation, charged under MCL_FUTURE"},
    {call::map, 1, {EAGAIN}, std::nullopt, "the reservation at once: it comes in steps"},
    {call::unlock, 1, {ENOMEM, EPERM}, operation::reserve, "uncharging the bookkeeping"},
    {call::unlock, 2, {ENOMEM, EPERM}, operation::reserve, "uncharging the data"},
    {call::unlock, 1, {EAGAIN}, std::nullopt, "uncharging the reservation: it comes in steps"},
    {call::protect, 1, {ENOMEM, EACCES, EINVAL}, operation::make_accessible, "the bookkeeping"},
    {call::protect, 2, {ENOMEM, EACCES, EINVAL}, operation::make_accessible, "the data"},
    {call::advise, 1, {EINVAL}, std::nullopt, "no huge pages: a kernel without them"},
    {call::advise, 1, {ENOMEM, EBADF}, operation::advise, "no huge pages"},
    {call::advise, 2, {EINVAL}, std::nullopt, "unmergeable: a kernel without KSM"},
    {call::advise, 2, {ENOMEM, EAGAIN}, operation::advise, "unmergeable"},
    {call::advise, 3, {EINVAL, ENOMEM}, operation::advise, "exclude from fork"},
    {call::advise, 4, {EINVAL, ENOMEM}, operation::advise, "exclude from core dumps"},
    {call::advise, 0, {ENOMEM}, operation::advise, "every advice"},
    {call::prefer_node, 0, {EINVAL, EPERM, ENOSYS, ENOMEM, EFAULT}, std::nullopt, "local node"},
    {call::current_node, 0, {ENOSYS, EFAULT}, std::nullopt, "which node this is"},
    {call::name_mapping, 0, {EINVAL, ENOMEM, EBADF}, std::nullopt, "the name"},
    {call::lock_on_fault, 1, {ENOMEM, EAGAIN, EINVAL}, operation::lock, "the bookkeeping"},
    {call::lock_on_fault, 2, {ENOMEM, EAGAIN, EINVAL}, operation::lock, "the data"},
    {call::lock_on_fault, 0, {ENOSYS}, std::nullopt, "before Linux 4.4: locked by mlock"},
    {call::lock_on_fault, 0, {EPERM}, std::nullopt, "a sandbox: locked by mlock"},
    {call::count_faults, 0, {EINVAL, EPERM, EFAULT}, operation::verify, "counting faults"},
    {call::get_limit, 0, {EINVAL, EFAULT, EPERM}, std::nullopt, "reading the limit"},
    {call::effective_capabilities, 0, {EINVAL, EPERM, ESRCH}, std::nullopt, "capabilities"},
    {call::open_file, 0, {ENOENT, EACCES, EMFILE, ENFILE, ENOMEM}, std::nullopt, "all of /proc"},
    {call::read_file, 0, {EIO, ESRCH}, std::nullopt, "all of /proc"},
    {call::close_file, 1, {EINTR, EIO}, std::nullopt, "closing"},
};

TEST_F(arena_failing_calls, the_matrix_of_building) {
    for (const failing_call& row : build_matrix) {
        for (const int error_number : row.error_numbers) {
            SCOPED_TRACE(testing::Message() << to_string(row.which) << " #" << row.nth << " ("
                                            << row.what << ") fails: " << strerror(error_number));
            const auto before = test::process_state::now();
            test::failing_kernel kernel;
            kernel.fail(row.which, row.nth, error_number);
            {
                const os::kernel_replacement in_force(kernel);
                const auto made = arena::create(growing_options());
                EXPECT_TRUE(kernel.has_failed()) << "the row is about a call that is not made";
                EXPECT_EQ(bool(made), !row.outcome.has_value())
                    << (made ? "" : made.error().what());
                if (!made && row.outcome) {
                    EXPECT_STREQ(to_string(made.error().operation()), to_string(*row.outcome));
                    EXPECT_EQ(made.error().error_number(), error_number);
                }
                if (made) {
                    kernel.reset();
                    EXPECT_TRUE(made->verify()->resident);
                }
            }
            EXPECT_EQ(kernel.mapped_bytes(), 0u);
            if (!is_undo(row.which)) {
                EXPECT_EQ(test::process_state::now(), before);
            }
        }
    }
}

TEST_F(arena_failing_calls, a_sandbox_that_forbids_all_locking_is_an_error) {
    const auto before = test::process_state::now();
    test::failing_kernel kernel;
    kernel.fail(call::lock_on_fault, 0, EPERM);
    kernel.fail(call::lock, 0, EPERM);
    const os::kernel_replacement in_force(kernel);
    const auto made = arena::create(growing_options());
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().operation(), operation::lock);
    EXPECT_EQ(made.error().error_number(), EPERM);
    EXPECT_EQ(made.error().cause(), cause::not_permitted);
    EXPECT_EQ(kernel.mapped_bytes(), 0u);
    EXPECT_EQ(test::process_state::now(), before);
}

TEST_F(arena_failing_calls, a_forbidden_mbind_can_be_queried) {
    EXPECT_EQ(arena({.capacity = 1_MiB, .numa_node = 0}).numa_node(), 0);
    EXPECT_GE(arena({.capacity = 1_MiB}).numa_node(), 0);
    test::failing_kernel kernel;
    kernel.fail(call::prefer_node, 0, EPERM);
    const os::kernel_replacement in_force(kernel);
    EXPECT_EQ(arena({.capacity = 1_MiB}).numa_node(), -1);
}

TEST_F(arena_failing_calls, populating_refused_by_the_kernel) {
    for (const int error_number : {ENOMEM, EFAULT, EHWPOISON, EAGAIN}) {
        // The last advice of a build on base pages is the data's last step of populating.
        test::failing_kernel counting;
        {
            const os::kernel_replacement in_force(counting);
            ASSERT_TRUE(arena::create(growing_options()));
        }
        const auto before = test::process_state::now();
        test::failing_kernel kernel;
        kernel.fail(call::advise, counting.calls(call::advise), error_number);
        const os::kernel_replacement in_force(kernel);
        const auto made = arena::create(growing_options());
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().operation(), operation::populate);
        EXPECT_EQ(made.error().error_number(), error_number);
        EXPECT_EQ(kernel.mapped_bytes(), 0u);
        EXPECT_EQ(test::process_state::now(), before);
    }
}

TEST_F(arena_failing_calls, a_wish_for_a_node_that_is_refused_is_an_error) {
    for (const int error_number : {EINVAL, EPERM, EIO, ENOSYS}) {
        const auto before = test::process_state::now();
        test::failing_kernel kernel;
        kernel.fail(call::prefer_node, 2, error_number); // the data's
        const os::kernel_replacement in_force(kernel);
        const auto made = arena::create({.capacity = 1_MiB, .numa_node = 0});
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().operation(), operation::bind_to_node);
        EXPECT_EQ(made.error().error_number(), error_number);
        EXPECT_EQ(test::process_state::now(), before);
    }
}

TEST_F(arena_failing_calls, a_background_grower_that_cannot_start) {
    const auto before = test::process_state::now();
    test::failing_kernel kernel;
    kernel.fail(call::start_thread, 1, EAGAIN);
    const os::kernel_replacement in_force(kernel);
    const auto made =
        arena::create({.capacity = 1_MiB, .max_capacity = 8_MiB, .growth = {.keep_free = 512_KiB}});
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().operation(), operation::start_thread);
    EXPECT_EQ(kernel.mapped_bytes(), 0u);
    EXPECT_EQ(kernel.running_threads(), 0);
    EXPECT_EQ(test::process_state::now(), before);
}

/// Every k; every third under ThreadSanitizer, where each build reads a smaps of many megabytes.
constexpr unsigned stride = test::thread_sanitized ? 3 : 1;

TEST_F(arena_failing_calls, building_fails_at_every_k) {
    unsigned survived = 0;
    for (unsigned k = 1;; k += stride) {
        SCOPED_TRACE(k);
        const auto before = test::process_state::now();
        test::failing_kernel kernel;
        kernel.fail_kth(k, ENOMEM);
        bool failed_an_undo = false;
        bool reached = false;
        {
            const os::kernel_replacement in_force(kernel);
            const auto made = arena::create(growing_options());
            reached = kernel.has_failed();
            failed_an_undo = reached && is_undo(kernel.log()[k - 1]);
            if (made) {
                ++survived;
                EXPECT_EQ(made->check(), nullptr);
                kernel.reset();
                EXPECT_TRUE(made->verify()->resident);
            }
        }
        if (!reached)
            break;
        if (failed_an_undo)
            continue;
        EXPECT_EQ(kernel.mapped_bytes(), 0u);
        EXPECT_EQ(kernel.open_files(), 0);
        ASSERT_EQ(test::process_state::now(), before);
    }
    EXPECT_GT(survived, 0u);
}

TEST_F(arena_failing_calls, growing_fails_at_every_k_and_leaves_the_arena_as_it_was) {
    arena memory{growing_options()};
    void* kept = memory.allocate(1_MiB);
    std::memset(kept, 42, 1_MiB);
    ASSERT_TRUE(memory.try_grow(2_MiB)); // the registry has room from here on
    for (unsigned k = 1;; k += stride) {
        SCOPED_TRACE(k);
        const auto before = test::process_state::now();
        const arena_statistics statistics = memory.statistics();
        test::failing_kernel kernel;
        kernel.fail_kth(k, ENOMEM);
        const os::kernel_replacement in_force(kernel);
        const auto grown = memory.try_grow(2_MiB);
        ASSERT_EQ(memory.check(), nullptr);
        if (!kernel.has_failed())
            break;
        const bool failed_an_undo = is_undo(kernel.log()[k - 1]);
        kernel.reset();
        if (grown) {
            EXPECT_EQ(memory.statistics().capacity, statistics.capacity + 2_MiB);
            EXPECT_TRUE(memory.verify()->resident);
            continue;
        }
        EXPECT_EQ(memory.statistics().capacity, statistics.capacity);
        EXPECT_EQ(memory.statistics().growth_failures, statistics.growth_failures + 1);
        if (!failed_an_undo) {
            ASSERT_EQ(test::process_state::now(), before);
        }
    }
    EXPECT_EQ(static_cast<unsigned char*>(kept)[1_MiB - 1], 42);
    EXPECT_TRUE(memory.verify()->resident);
}

TEST_F(arena_failing_calls, an_abandoned_growth_is_undone_even_if_remapping_fails) {
    arena memory{growing_options()};
    const auto before = test::process_state::now();
    {
        test::failing_kernel kernel;
        kernel.fail(call::lock_on_fault, 0, EAGAIN);
        kernel.fail(call::map, 0, ENOMEM);
        const os::kernel_replacement in_force(kernel);
        ASSERT_FALSE(memory.try_grow(2_MiB));
    }
    EXPECT_EQ(test::process_state::now().locked_bytes, before.locked_bytes);
    ASSERT_TRUE(memory.try_grow(2_MiB));
    EXPECT_TRUE(memory.verify()->resident);
}

} // namespace
} // namespace resident
