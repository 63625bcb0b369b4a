// Concerns: the figures are those of the mappings that meet the range and of no other; reserved
// huge pages, which the kernel leaves out of Rss and Locked, count; missing fields of old kernels
// and hostile lines do no harm; a page shared after fork is as locked as any. Plan: smaps served
// from strings; then real mappings of this process.
#include "os/mappings.hpp"
#include "support/failing_kernel.hpp"
#include "support/fake_files_kernel.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <limits>
#include <string>
#include <vector>

#include <sys/mman.h>

namespace {

using namespace resident;

const void* at(std::uintptr_t address) { return reinterpret_cast<const void*>(address); }

constexpr const char* two_mappings =
    "10000000-10400000 rw-p 00000000 00:00 0      [anon:resident]\n"
    "Size:               4096 kB\n"
    "KernelPageSize:        4 kB\n"
    "MMUPageSize:           4 kB\n"
    "Rss:                4096 kB\n"
    "Pss:                4096 kB\n"
    "AnonHugePages:      2048 kB\n"
    "Swap:                  0 kB\n"
    "SwapPss:               0 kB\n"
    "Locked:             4096 kB\n"
    "VmFlags: rd wr mr mw me dc lo ac dd nh \n"
    "10400000-10800000 ---p 00000000 00:00 0      [anon:resident]\n"
    "Size:               4096 kB\n"
    "KernelPageSize:        4 kB\n"
    "Rss:                   0 kB\n"
    "Pss:                   0 kB\n"
    "Swap:                 12 kB\n"
    "Locked:                0 kB\n"
    "VmFlags: mr mw me wf \n";

struct summarized {
    os::outcome answer;
    os::mapping_summary summary;
};

summarized summarize(const std::string& smaps, std::uintptr_t address, std::size_t bytes,
                     std::size_t bytes_a_read = 0) {
    test::fake_files_kernel files;
    files.serve("/proc/self/smaps", smaps);
    files.limit_reads(bytes_a_read);
    const os::kernel_replacement replacement(files);
    os::mapping_summary summary;
    const os::outcome answer = os::summarize_mappings(at(address), bytes, summary);
    return {answer, summary};
}

TEST(summarize_mappings, takes_exactly_the_range) {
    for (const std::size_t bytes_a_read : {0U, 1U, 7U}) {
        const auto [answer, summary] = summarize(two_mappings, 0x10000000, 0x400000, bytes_a_read);
        ASSERT_TRUE(answer);
        EXPECT_EQ(summary.mappings, 1U);
        EXPECT_EQ(summary.size, 4096U * 1024);
        EXPECT_EQ(summary.beyond, 0U);
        EXPECT_EQ(summary.rss, summary.size);
        EXPECT_EQ(summary.locked, summary.size);
        EXPECT_EQ(summary.huge, 2048U * 1024);
        EXPECT_EQ(summary.swap, 0U) << "SwapPss is another field";
        EXPECT_EQ(summary.kernel_page_size, 4096U);
        EXPECT_TRUE(summary.all_locked_flag);
        EXPECT_TRUE(summary.all_excluded_from_fork);
        EXPECT_TRUE(summary.all_excluded_from_dump);
        EXPECT_FALSE(summary.all_wiped_on_fork);
    }
}

TEST(summarize_mappings, tells_what_reaches_beyond_the_range) {
    const summarized both = summarize(two_mappings, 0x10200000, 0x300000);
    EXPECT_EQ(both.summary.mappings, 2U);
    EXPECT_EQ(both.summary.size, 0x800000U);
    EXPECT_EQ(both.summary.beyond, 0x500000U);
    EXPECT_EQ(both.summary.swap, 12U * 1024);
    EXPECT_FALSE(both.summary.all_locked_flag);
    EXPECT_FALSE(both.summary.all_excluded_from_fork);
}

TEST(summarize_mappings, meets_nothing_outside_and_in_an_empty_range) {
    EXPECT_EQ(summarize(two_mappings, 0x1000, 0x1000).summary.mappings, 0U);
    EXPECT_EQ(summarize(two_mappings, 0x10800000, 0x1000).summary.mappings, 0U);
    EXPECT_EQ(summarize(two_mappings, 0x10000000, 0).summary.mappings, 0U);
    const auto everything = summarize(two_mappings, 0, std::numeric_limits<std::size_t>::max());
    EXPECT_EQ(everything.summary.mappings, 2U);
    const auto wrapping =
        summarize(two_mappings, 0x10400000, std::numeric_limits<std::size_t>::max());
    EXPECT_EQ(wrapping.summary.mappings, 1U);
}

TEST(summarize_mappings, counts_reserved_huge_pages_as_resident_and_locked) {
    const auto [answer, summary] =
        summarize("10000000-10400000 rw-p 00000000 00:10 1 /anon_hugepage\n"
                  "Size:               4096 kB\n"
                  "KernelPageSize:     2048 kB\n"
                  "Rss:                   0 kB\n"
                  "Shared_Hugetlb:        0 kB\n"
                  "Private_Hugetlb:    4096 kB\n"
                  "Locked:                0 kB\n"
                  "VmFlags: rd wr mr mw me dc de ht \n",
                  0x10000000, 0x400000);
    ASSERT_TRUE(answer);
    EXPECT_EQ(summary.rss, 0x400000U);
    EXPECT_EQ(summary.locked, 0x400000U);
    EXPECT_EQ(summary.huge, 0x400000U);
    EXPECT_EQ(summary.kernel_page_size, 0x200000U);
    EXPECT_TRUE(summary.all_locked_flag);
}

TEST(summarize_mappings, a_page_shared_after_fork_is_locked_all_the_same) {
    const auto summary = summarize("10000000-10001000 rw-p 00000000 00:00 0\n"
                                   "Rss: 4 kB\nPss: 2 kB\nLocked: 2 kB\nVmFlags: rd wr lo\n",
                                   0x10000000, 0x1000)
                             .summary;
    EXPECT_EQ(summary.locked, 4096U);
}

TEST(summarize_mappings, manages_without_the_fields_of_newer_kernels) {
    const auto [answer, summary] = summarize("10000000-10001000 rw-p 00000000 00:00 0\n"
                                             "Rss: 4 kB\nPss: 4 kB\nLocked: 4 kB\n"
                                             "10001000-10002000 rw-p 00000000 00:00 0\n"
                                             "Rss: 4 kB\nPss: 4 kB\n",
                                             0x10000000, 0x1000);
    ASSERT_TRUE(answer);
    EXPECT_EQ(summary.locked, 4096U);
    EXPECT_TRUE(summary.all_locked_flag);
    EXPECT_FALSE(summary.all_excluded_from_fork);
    EXPECT_EQ(summary.kernel_page_size, 0U);
}

TEST(summarize_mappings, is_not_misled_by_hostile_lines) {
    const std::string long_name(20000, '/');
    const auto [answer, summary] = summarize("Rss: 999 kB\n"
                                             "garbage\n\n-\n10-\n20-10 rw-p\n30-40\n30-40 r\n"
                                             "ffffffffffffffffff-1 rw-p\n"
                                             "AnonHugePages: many kB\n"
                                             "10000000-10001000 rw-p 00000000 00:00 0 " +
                                                 long_name +
                                                 "\n"
                                                 "Rss: 4 kB\nRssOther: 8 kB\nRss\nLocked: -4 kB\n"
                                                 "VmFlags:\n",
                                             0, std::numeric_limits<std::size_t>::max());
    ASSERT_TRUE(answer);
    EXPECT_EQ(summary.mappings, 1U);
    EXPECT_EQ(summary.rss, 4096U);
    EXPECT_EQ(summary.locked, 0U);
    EXPECT_FALSE(summary.all_locked_flag);
}

TEST(summarize_mappings, fails_when_smaps_cannot_be_read) {
    using call = test::failing_kernel::call;
    test::failing_kernel kernel;
    const os::kernel_replacement replacement(kernel);
    os::mapping_summary summary;
    kernel.fail(call::open_file, 1, EACCES);
    EXPECT_EQ(os::summarize_mappings(&summary, 1, summary).error_number(), EACCES);
    kernel.fail(call::read_file, 1, EIO);
    EXPECT_EQ(os::summarize_mappings(&summary, 1, summary).error_number(), EIO);
    std::size_t count = 0;
    kernel.fail(call::open_file, 1, ENOENT);
    EXPECT_EQ(os::count_mapped(&count, 1, count).error_number(), ENOENT);
    kernel.fail(call::open_file, 1, ENOENT);
    EXPECT_EQ(os::count_mappings(count).error_number(), ENOENT);
    EXPECT_EQ(kernel.open_files(), 0);
}

TEST(parse_mapping, takes_every_field_it_tells_of) {
    const auto read =
        os::parse_mapping("7f0000001000-7f0000004000 r-xs 00021000 fe:1b 10952860  /a b");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->begin, 0x7f0000001000U);
    EXPECT_EQ(read->end, 0x7f0000004000U);
    EXPECT_TRUE(read->readable && !read->writable && read->executable);
    EXPECT_EQ(read->file_offset, 0x21000U);
    EXPECT_EQ(read->inode, 10952860U);
    const auto anonymous = os::parse_mapping("1000-2000 rw-p 00000000 00:00 0");
    ASSERT_TRUE(anonymous);
    EXPECT_EQ(anonymous->inode, 0U);
    EXPECT_FALSE(os::parse_mapping("Rss:                4096 kB"));
    EXPECT_FALSE(os::parse_mapping(""));
}

TEST(visit_mappings, comes_in_order_and_stops_when_told) {
    test::fake_files_kernel files;
    files.serve("/proc/self/smaps", two_mappings);
    const os::kernel_replacement replacement(files);
    std::vector<os::mapping> seen;
    const auto all = [](const os::mapping& met, void* context) {
        static_cast<std::vector<os::mapping>*>(context)->push_back(met);
        return true;
    };
    ASSERT_TRUE(os::visit_mappings(at(0x10000000), 0x800000, all, &seen));
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_TRUE(seen[0].readable && seen[0].writable && !seen[0].executable && seen[0].locked);
    EXPECT_FALSE(seen[1].readable || seen[1].writable || seen[1].executable || seen[1].locked);
    EXPECT_EQ(seen[1].begin, 0x10400000U);
    EXPECT_EQ(seen[1].end, 0x10800000U);
    int calls = 0;
    const auto first = [](const os::mapping&, void* context) {
        ++*static_cast<int*>(context);
        return false;
    };
    ASSERT_TRUE(os::visit_mappings(at(0x10000000), 0x800000, first, &calls));
    EXPECT_EQ(calls, 1);
}

TEST(real_mappings, show_what_was_locked) {
    const std::size_t bytes = 8 * os::page_size();
    const os::outcome mapped =
        os::system().map(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    ASSERT_TRUE(mapped);
    const auto address = reinterpret_cast<char*>(mapped.value());
    // Advice of its own keeps the kernel from merging it with a neighbour.
    ASSERT_TRUE(os::system().advise(address, bytes, MADV_DONTFORK));
    ASSERT_TRUE(os::system().lock(address, bytes / 2));
    os::mapping_summary summary;
    ASSERT_TRUE(os::summarize_mappings(address, bytes / 2, summary));
    EXPECT_EQ(summary.size - summary.beyond, bytes / 2);
    EXPECT_EQ(summary.locked, bytes / 2);
    EXPECT_EQ(summary.rss, bytes / 2);
    EXPECT_TRUE(summary.all_locked_flag);
    EXPECT_TRUE(summary.all_excluded_from_fork);
    ASSERT_TRUE(os::summarize_mappings(address, bytes, summary));
    EXPECT_FALSE(summary.all_locked_flag);
    std::size_t present = 0;
    ASSERT_TRUE(os::count_mapped(address, bytes, present));
    EXPECT_EQ(present, bytes);
    ASSERT_TRUE(os::system().unmap(address + bytes / 2, os::page_size()));
    ASSERT_TRUE(os::count_mapped(address, bytes, present));
    EXPECT_EQ(present, bytes - os::page_size());
    ASSERT_TRUE(os::system().unmap(address, bytes));
}

} // namespace
