// Concerns: a page counts if and only if the page table maps it, and the zero page does not where
// the kernel can tell; both ways to ask agree; holes and unreadable files are errors.
// Plan: real pages, written, read, locked, dropped; the older way by hiding PAGEMAP_SCAN; every
// kernel call failing in turn.
#include "os/features.hpp"
#include "os/kernel.hpp"
#include "resident/fault_counter.hpp"
#include "resident/residency.hpp"
#include "support/failing_kernel.hpp"
#include "support/fresh_pages.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <sstream>
#include <string>

#include <sys/mman.h>

namespace {

using namespace resident;
using call = test::failing_kernel::call;
using test::fresh_pages;

TEST(residency, shows_written_pages) {
    const fresh_pages range(5);
    range.write(1);
    range.write(4);
    const auto map = residency(range[0], range.bytes());
    ASSERT_TRUE(map) << map.error().what();
    EXPECT_EQ(map->to_string(), ".*..*");
    EXPECT_EQ(map->resident_pages(), 2U);
    EXPECT_EQ(map->page_size(), os::page_size());
    EXPECT_FALSE(map->all_resident());
    EXPECT_TRUE((*map)[1]);
    std::ostringstream out;
    out << *map;
    EXPECT_EQ(out.str(), ".*..*");
}

TEST(residency, takes_every_page_that_the_range_touches) {
    const fresh_pages range(3);
    range.write(1);
    EXPECT_EQ(residency(range[1], 1)->to_string(), "*");
    EXPECT_EQ(residency(range[1] - 1, 2)->to_string(), ".*");
    EXPECT_EQ(residency(range[1] + 1, os::page_size())->to_string(), "*.");
    EXPECT_EQ(residency(range[1], 0)->size(), 0U);
    EXPECT_TRUE(residency(nullptr, 0)->all_resident());
}

TEST(residency, locked_pages_are_resident_and_dropped_ones_are_not) {
    const fresh_pages range(4);
    ASSERT_TRUE(os::system().lock(range[0], range.bytes()));
    EXPECT_TRUE(residency(range[0], range.bytes())->all_resident());
    ASSERT_TRUE(os::system().unlock(range[0], range.bytes()));
    ASSERT_TRUE(os::system().advise(range[1], os::page_size(), MADV_DONTNEED));
    EXPECT_EQ(residency(range[0], range.bytes())->to_string(), "*.**");
}

/// Whether reading a page that was never written maps the page of zeros that all share; some
/// kernels for virtual machines give it memory of its own at once. Then writing makes no fault.
bool reading_maps_the_zero_page() {
    constexpr std::size_t count = 64; // more than a sanitizer's runtime makes faults of its own
    const fresh_pages range(count);
    for (std::size_t page = 0; page < count; ++page)
        range.read(page);
    const fault_counter since_read;
    for (std::size_t page = 0; page < count; ++page)
        range.write(page);
    return since_read.count().minor >= count;
}

TEST(residency, the_zero_page_is_not_resident_where_the_kernel_tells) {
    if (!os::can_scan_pagemap())
        GTEST_SKIP() << "needs Linux 6.7";
    if (!reading_maps_the_zero_page())
        GTEST_SKIP() << "this kernel maps no zero page";
    const fresh_pages range(3);
    range.read(0);
    range.write(1);
    constexpr int populate_read = 22; // MADV_POPULATE_READ
    ASSERT_TRUE(os::system().advise(range[0], range.bytes(), populate_read));
    EXPECT_EQ(residency(range[0], range.bytes())->to_string(), ".*.");
}

TEST(residency, older_kernels_answer_by_page_table_entry) {
    const fresh_pages range(1500); // more than is read at once
    range.write(0);
    range.write(700);
    range.write(1499);
    const auto scanned = residency(range[0], range.bytes());
    test::failing_kernel older;
    older.fail(call::control_file, 0, ENOTTY);
    const os::kernel_replacement replacement(older);
    const auto read = residency(range[0], range.bytes());
    ASSERT_TRUE(read) << read.error().what();
    EXPECT_EQ(read->resident_pages(), 3U);
    EXPECT_TRUE((*read)[700]);
    EXPECT_EQ(read->to_string(), scanned->to_string());
}

TEST(residency, many_separate_pages_need_more_than_one_scan) {
    const fresh_pages range(1500);
    std::string expected(1500, '.');
    for (std::size_t index = 0; index < 1500; index += 2) {
        range.write(index);
        expected[index] = '*';
    }
    EXPECT_EQ(residency(range[0], range.bytes())->to_string(), expected);
}

TEST(residency, a_hole_is_an_error) {
    const fresh_pages range(4);
    ASSERT_TRUE(os::system().unmap(range[1], os::page_size()));
    const auto map = residency(range[0], range.bytes());
    ASSERT_FALSE(map);
    EXPECT_EQ(map.error().cause(), cause::invalid_argument);
    EXPECT_FALSE(residency(nullptr, 1));
    EXPECT_FALSE(residency(range[0], unlimited));
    EXPECT_FALSE(residency(reinterpret_cast<void*>(unlimited), 1));
    EXPECT_FALSE(residency(reinterpret_cast<void*>(unlimited), unlimited));
}

TEST(residency, any_call_that_fails_is_an_error_and_leaves_no_file_open) {
    const fresh_pages range(2);
    for (const bool scan : {true, false}) {
        for (unsigned k = 1;; ++k) {
            test::failing_kernel kernel;
            const os::kernel_replacement replacement(kernel);
            if (!scan)
                kernel.fail(call::control_file, 0, ENOTTY);
            kernel.fail_kth(k, EACCES);
            const auto map = residency(range[0], range.bytes());
            const auto log = kernel.log();
            if (log.size() < k)
                break;
            const call failed = log[k - 1];
            // A scan that cannot be had is done in the older way; closing is past caring.
            const bool essential = !is_undo(failed) && failed != call::control_file;
            if (!essential)
                continue;
            if (map) {
                EXPECT_GT(log.size(), k) << "only the probe of a feature may fail unseen";
                EXPECT_EQ(failed, call::open_file);
            } else {
                EXPECT_EQ(map.error().operation(), operation::read_system_file);
            }
            EXPECT_EQ(kernel.open_files(), 0) << "call " << k << ": " << to_string(failed);
        }
    }
}

} // namespace
