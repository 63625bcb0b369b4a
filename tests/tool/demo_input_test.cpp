// The demo's input: what cannot be used is refused before anything is measured or written; what
// can be used is split into the right records.
#include "support/build.hpp"
#include "tool/run_tool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace resident::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

void expect_refused(const std::string& input, const std::string& named,
                    const tool_options& options = {}) {
    const tool_result result = run_tool({"demo", "--input", input}, options);
    EXPECT_EQ(result.exit_code, 2) << input;
    EXPECT_THAT(result.output, IsEmpty());
    EXPECT_THAT(result.diagnostics, HasSubstr(named));
    EXPECT_THAT(result.diagnostics, HasSubstr("--input FILE")) << "the remedy";
}

TEST(DemoInput, IsRefusedIfItCannotBeRead) {
    const scratch_folder folder;
    const tool_options here{.folder = folder.path()};
    expect_refused("/nowhere/at/all", "/nowhere/at/all cannot be opened", here);
    expect_refused("", "cannot be opened", here);
    expect_refused("/tmp", "is a folder", here);
    expect_refused("/dev/zero", "is a device", here);
    std::filesystem::create_symlink("loop", folder.file("loop"));
    expect_refused("loop", "cannot be opened", here);
    EXPECT_EQ(folder.content(), std::set<std::string>{"loop"});
}

TEST(DemoInput, IsRefusedIfThisUserMayNotReadIt) {
    if (!is_root())
        GTEST_SKIP() << "needs root to become another user";
    const scratch_folder folder;
    folder.write("secret", "a: 1\n");
    std::filesystem::permissions(folder.file("secret"), std::filesystem::perms::owner_read);
    expect_refused(folder.file("secret"), "cannot be opened: Permission denied",
                   {.ordinary_user = true, .folder = folder.path()});
}

TEST(DemoInput, IsRefusedIfItHoldsNoRecord) {
    const scratch_folder folder;
    const tool_options here{.folder = folder.path()};
    folder.write("empty", "");
    expect_refused("empty", "empty is empty", here);
    folder.write("blank", "\n \n\t\r\n\n");
    expect_refused("blank", "holds blank lines only", here);
    folder.write("binary", std::string("Package: a\n\0\1\2\n", 15));
    expect_refused("binary", "is binary: byte 11 is 0", here);
    EXPECT_EQ(folder.content(), (std::set<std::string>{"binary", "blank", "empty"}));
}

/// The workload as reported by a short run on `text`.
nlohmann::json workload_of(const std::string& text) {
    const scratch_folder folder;
    folder.write("input", text);
    const tool_result result = run_tool({"demo", "-D", "20ms", "-p", "0", "--capacity", "1MiB",
                                         "--no-pressure", "--json", "-", "--input", "input"},
                                        {.folder = folder.path()});
    const auto report = nlohmann::json::parse(result.output, nullptr, false);
    EXPECT_FALSE(report.is_discarded()) << result.diagnostics << result.output;
    return report.is_discarded() ? nlohmann::json() : report["workload"];
}

TEST(DemoInput, IsSplitAtBlankLines) {
    EXPECT_EQ(workload_of("one")["input_records"], 1);
    EXPECT_EQ(workload_of("\n\na: 1\nb: 2\n\n\n \t\nc: 3\n")["input_records"], 2);
    EXPECT_EQ(workload_of("a: 1\r\nb: 2\r\n\r\nc: 3\r\n")["input_records"], 2);
}

TEST(DemoInput, SameKeysAreDifferentArrivals) {
    const nlohmann::json load = workload_of("a: 1\n\na: 1\n\na: 1\n");
    EXPECT_EQ(load["input_records"], 3);
    EXPECT_GT(load["kept_records"], 100);
}

TEST(DemoInput, CutsRecordsThatAreTooLong) {
    std::string text = "first: 1\n\nlong: 2\n";
    for (int line = 0; line < 3000; ++line)
        text += "a line of it\n";
    const nlohmann::json load = workload_of(text);
    EXPECT_EQ(load["input_records"], 2);
    EXPECT_EQ(load["cut_records"], 1);
}

TEST(DemoInput, ReadsAHugeFileInPartAndSaysSo) {
    if (sanitized)
        GTEST_SKIP() << "a large file takes too long under a sanitizer";
    std::string text;
    while (text.size() < (std::size_t{17} << 20))
        text += "key: value\n" + std::string(997, 'x') + "\n\n";
    const nlohmann::json load = workload_of(text);
    EXPECT_LE(load["input_bytes"], std::size_t{16} << 20);
    EXPECT_EQ(load["input_total_bytes"], text.size());
}

} // namespace
} // namespace resident::test
