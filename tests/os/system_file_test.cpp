// Concerns: lines come whole however the kernel cuts its answers; a line longer than the buffer
// neither overruns it nor spoils the next; a file that fails half way is not taken for its end;
// numbers are taken strictly.
// Plan: files served from strings in reads of 1, 3 and any number of bytes; failing reads.
#include "os/system_file.hpp"
#include "support/failing_kernel.hpp"
#include "support/fake_files_kernel.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

namespace {

using namespace resident;

std::vector<std::string> lines_of(const std::string& content, std::size_t bytes_a_read = 0) {
    test::fake_files_kernel files;
    files.serve("/file", content);
    files.limit_reads(bytes_a_read);
    const os::kernel_replacement replacement(files);
    os::line_reader reader("/file");
    std::vector<std::string> lines;
    for (std::string_view line; reader.next(line);)
        lines.emplace_back(line);
    EXPECT_TRUE(reader.status());
    return lines;
}

using lines = std::vector<std::string>;

TEST(line_reader, finds_each_line_however_reads_are_cut) {
    for (const std::size_t bytes : {0U, 1U, 3U, 4096U}) {
        EXPECT_EQ(lines_of("", bytes), lines{});
        EXPECT_EQ(lines_of("\n", bytes), lines{""});
        EXPECT_EQ(lines_of("one\ntwo\n", bytes), (lines{"one", "two"}));
        EXPECT_EQ(lines_of("one\n\nlast without end", bytes),
                  (lines{"one", "", "last without end"}));
    }
}

TEST(line_reader, cuts_a_long_line_and_goes_on_after_it) {
    for (const std::size_t length : {4094U, 4095U, 4096U, 4097U, 8192U, 20000U}) {
        for (const std::size_t bytes : {0U, 1000U}) {
            const std::string text(length, 'x');
            const lines found = lines_of("before\n" + text + "\nafter\n", bytes);
            ASSERT_EQ(found.size(), 3U) << length;
            EXPECT_EQ(found[0], "before");
            EXPECT_EQ(found[1], text.substr(0, 4096));
            EXPECT_EQ(found[2], "after");
        }
    }
    EXPECT_EQ(lines_of(std::string(9000, 'x')), lines{std::string(4096, 'x')});
}

TEST(line_reader, tells_a_failed_read_from_the_end) {
    test::failing_kernel kernel;
    const os::kernel_replacement replacement(kernel);
    kernel.fail(test::failing_kernel::call::read_file, 1, EIO);
    {
        os::line_reader reader("/proc/self/status");
        std::string_view line;
        EXPECT_FALSE(reader.next(line));
        EXPECT_FALSE(reader.next(line));
        EXPECT_EQ(reader.status().error_number(), EIO);
    }
    EXPECT_EQ(kernel.open_files(), 0);
    const os::line_reader missing("/proc/self/no such file");
    EXPECT_EQ(missing.status().error_number(), ENOENT);
}

TEST(numbers, are_taken_strictly) {
    const auto number = [](std::string_view text) { return os::take_number(text); };
    EXPECT_EQ(number(" \t42 kB"), 42U);
    EXPECT_EQ(number("18446744073709551615"), ~std::uint64_t{0});
    EXPECT_EQ(number("18446744073709551616"), std::nullopt);
    EXPECT_EQ(number("-1"), std::nullopt);
    EXPECT_EQ(number("max"), std::nullopt);
    EXPECT_EQ(number(""), std::nullopt);
}

TEST(fields, match_the_whole_key) {
    EXPECT_EQ(os::field_value("Rss:        12 kB", "Rss"), 12U * 1024);
    EXPECT_EQ(os::field_value("inactive_file 4096", "inactive_file"), 4096U);
    EXPECT_EQ(os::field_value("HugePages_Total:   3", "HugePages_Total"), 3U);
    EXPECT_EQ(os::field_value("Rss_Anon:   12 kB", "Rss"), std::nullopt);
    EXPECT_EQ(os::field_value("Rss", "Rss"), std::nullopt);
    EXPECT_EQ(os::field_value("Rss: none", "Rss"), std::nullopt);
    EXPECT_EQ(os::field_value("Rss: 18446744073709551615 kB", "Rss"), ((1UL << 54U) - 1) * 1024);
}

TEST(files, are_read_by_first_number_and_by_field) {
    test::fake_files_kernel files;
    files.serve("/number", "65530\n");
    files.serve("/word", "max\n");
    files.serve("/fields", "a 1\nb 2\nb 3\n");
    const os::kernel_replacement replacement(files);
    EXPECT_EQ(os::read_number("/number"), 65530U);
    EXPECT_EQ(os::read_number("/word"), std::nullopt);
    EXPECT_EQ(os::read_number("/missing"), std::nullopt);
    EXPECT_EQ(os::read_field("/fields", "b"), 2U);
    EXPECT_EQ(os::read_field("/fields", "c"), std::nullopt);
    EXPECT_TRUE(os::file_exists("/number"));
    EXPECT_FALSE(os::file_exists("/missing"));
}

} // namespace
