// Concerns: the tests' own tools tell the truth: a call is made to fail exactly when asked, the
// books balance, a child's failure is seen, leftovers are seen.
// Plan: each tool against a case that must fail and one that must not.
#include "support/child.hpp"
#include "support/failing_kernel.hpp"
#include "support/process_state.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

using namespace resident;
using call = test::failing_kernel::call;

TEST(failing_kernel, fails_the_nth_call_of_a_kind_counted_from_now) {
    test::failing_kernel kernel;
    EXPECT_TRUE(kernel.current_node());
    kernel.fail(call::current_node, 2, EIO);
    EXPECT_TRUE(kernel.current_node());
    EXPECT_EQ(kernel.effective_capabilities().error_number(), 0);
    EXPECT_FALSE(kernel.has_failed());
    EXPECT_EQ(kernel.current_node().error_number(), EIO);
    EXPECT_TRUE(kernel.has_failed());
    EXPECT_TRUE(kernel.current_node());
    EXPECT_EQ(kernel.calls(call::current_node), 4U);
    EXPECT_EQ(kernel.calls(), 5U);
    EXPECT_EQ(kernel.log()[2], call::effective_capabilities);
    kernel.reset();
    EXPECT_EQ(kernel.calls(), 0U);
    kernel.fail(call::current_node, 0, EIO);
    EXPECT_FALSE(kernel.current_node());
    EXPECT_FALSE(kernel.current_node());
}

TEST(failing_kernel, fails_the_kth_call_of_any_kind) {
    test::failing_kernel kernel;
    kernel.fail_kth(2, ENOMEM);
    EXPECT_TRUE(kernel.current_node());
    EXPECT_EQ(kernel.effective_capabilities().error_number(), ENOMEM);
    EXPECT_TRUE(kernel.effective_capabilities());
}

TEST(failing_kernel, keeps_books) {
    test::failing_kernel kernel;
    const std::size_t page = os::page_size();
    const os::outcome mapped =
        kernel.map(nullptr, 4 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS);
    ASSERT_TRUE(mapped);
    auto* const address = reinterpret_cast<char*>(mapped.value());
    EXPECT_EQ(kernel.mapped_bytes(), 4 * page);
    ASSERT_TRUE(kernel.unmap(address + page, 1));
    EXPECT_EQ(kernel.mapped_bytes(), 3 * page);
    kernel.fail(call::unmap, 1, ENOMEM);
    EXPECT_FALSE(kernel.unmap(address, 4 * page));
    EXPECT_EQ(kernel.mapped_bytes(), 3 * page);
    ASSERT_TRUE(kernel.unmap(address, 4 * page));
    EXPECT_EQ(kernel.mapped_bytes(), 0U);

    const os::outcome file = kernel.open_file("/proc/self/status");
    EXPECT_EQ(kernel.open_files(), 1);
    EXPECT_TRUE(kernel.close_file(static_cast<int>(file.value())));
    EXPECT_EQ(kernel.open_files(), 0);

    const os::outcome thread = kernel.start_thread([](void*) {}, nullptr, "books");
    EXPECT_EQ(kernel.running_threads(), 1);
    EXPECT_TRUE(kernel.join_thread(thread.value()));
    EXPECT_EQ(kernel.running_threads(), 0);
}

TEST(failing_kernel, names_every_call_and_knows_what_undoes) {
    EXPECT_STREQ(to_string(call::map), "map");
    EXPECT_STREQ(to_string(call::join_thread), "join_thread");
    EXPECT_TRUE(is_undo(call::unmap));
    EXPECT_TRUE(is_undo(call::close_file));
    EXPECT_FALSE(is_undo(call::lock));
}

TEST(run_in_child, tells_success_failure_output_and_signal) {
    const auto good = test::run_in_child({}, [] { std::puts("hello"); });
    EXPECT_TRUE(good.passed());
    EXPECT_EQ(good.output, "hello\n");

    const auto bad = test::run_in_child({}, [] { EXPECT_EQ(1 + 1, 3) << "sums"; });
    EXPECT_TRUE(bad.exited);
    EXPECT_EQ(bad.exit_status, test::child_expectation_failed);
    EXPECT_NE(bad.output.find("sums"), std::string::npos);

    const auto dead = test::run_in_child({}, [] { ::kill(getpid(), SIGKILL); });
    EXPECT_FALSE(dead.exited);
    EXPECT_EQ(dead.signal, SIGKILL);

    const auto left = test::run_in_child({}, [] { _exit(7); });
    EXPECT_EQ(left.exit_status, 7);
}

TEST(run_in_child, reads_more_than_a_pipe_holds) {
    const auto child = test::run_in_child({}, [] {
        const std::string line(1000, 'x');
        for (int count = 0; count < 1000; ++count)
            std::puts(line.c_str());
    });
    EXPECT_TRUE(child.passed());
    EXPECT_EQ(child.output.size(), 1001000U);
}

TEST(run_in_child, becomes_another_user_who_can_still_read_its_own_proc) {
    if (!test::can_change_privileges())
        GTEST_SKIP() << "needs root";
    const auto child = test::run_in_child({.uid = 65534}, [] {
        EXPECT_EQ(getuid(), 65534U);
        EXPECT_EQ(os::system().effective_capabilities().value(), 0U);
        EXPECT_TRUE(os::system().open_file("/proc/self/pagemap"));
    });
    EXPECT_TRUE(child.passed()) << child.output;
}

TEST(process_state, sees_locks_reservations_and_descriptors_left_over) {
    const auto before = test::process_state::now();
    EXPECT_EQ(test::process_state::now(), before);
    constexpr std::size_t bytes = std::size_t{2} << 20U;
    os::kernel& kernel = os::system();
    const os::outcome mapped =
        kernel.map(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    ASSERT_TRUE(mapped);
    auto* const address = reinterpret_cast<char*>(mapped.value());
    ASSERT_TRUE(kernel.lock(address, os::page_size()));
    const auto locked = test::process_state::now();
    EXPECT_EQ(locked.locked_bytes, before.locked_bytes + os::page_size());
    EXPECT_EQ(locked.locked_mappings, before.locked_mappings + 1);
    ASSERT_TRUE(kernel.unmap(address, bytes));
    const os::outcome file = kernel.open_file("/proc/self/status");
    EXPECT_NE(test::process_state::now(), before);
    ASSERT_TRUE(kernel.close_file(static_cast<int>(file.value())));
    EXPECT_EQ(test::process_state::now(), before);
    std::ostringstream out;
    out << before;
    EXPECT_NE(out.str().find("descriptors"), std::string::npos);
}

} // namespace
