// Where the reports go: hostile paths are refused up front, and what was there stays as it was.
#include "tool/run_tool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace resident::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

const std::vector<std::string> short_demo{"demo", "-D",         "20ms", "-p",           "0",
                                          "-q",   "--capacity", "1MiB", "--no-pressure"};

std::vector<std::string> short_demo_with(const std::vector<std::string>& more) {
    std::vector<std::string> arguments = short_demo;
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

class DemoOutput : public testing::Test {
protected:
    void SetUp() override { folder.write("input", "a: 1\nb: 2\n\nc: 3\n"); }

    tool_result run(const std::vector<std::string>& more, tool_options options = {}) const {
        options.folder = folder.path();
        std::vector<std::string> arguments = short_demo_with({"--input", "input"});
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run_tool(arguments, options);
    }

    void expect_refused(const std::vector<std::string>& more, const std::string& named,
                        const tool_options& options = {}) const {
        const std::set<std::string> before = folder.content();
        const tool_result result = run(more, options);
        EXPECT_EQ(result.exit_code, 2) << named;
        EXPECT_THAT(result.output, IsEmpty());
        EXPECT_THAT(result.diagnostics, HasSubstr(named));
        EXPECT_EQ(folder.content(), before) << "nothing may be left behind";
    }

    scratch_folder folder;
};

TEST_F(DemoOutput, RefusesHostileJsonPaths) {
    fs::create_directory(folder.file("directory"));
    fs::create_symlink("loop", folder.file("loop"));
    fs::create_symlink("missing", folder.file("dangling"));
    expect_refused({"--json", "directory"}, "directory: it is a folder");
    expect_refused({"--json", "new/"}, "new/: it is a folder");
    expect_refused({"--json", "no/such/folder/x.json"}, "No such file or directory");
    expect_refused({"--json", "input/x.json"}, "Not a directory");
    expect_refused({"--json", "/dev/full"}, "/dev/full: it is a device");
    expect_refused({"--json", "/dev/null"}, "/dev/null: it is a device");
    expect_refused({"--json", "loop"}, "Too many levels of symbolic links");
    expect_refused({"--json", "dangling"}, "a link to a file that is missing");
    expect_refused({"--json", ""}, "--json");
    expect_refused({"--json", std::string(5000, 'x')}, "File name too long");
}

TEST_F(DemoOutput, RefusesFoldersThatCannotBe) {
    expect_refused({"--output", "input"}, "--output");
    expect_refused({"--output", ""}, "--output");
    expect_refused({"--output", "no/such"}, "--output");
    expect_refused({"--output", "/proc/resident"}, "--output");
    expect_refused({"--output", "new", "--json", "no/such"}, "--json");
}

TEST_F(DemoOutput, RefusesWhatThisUserMayNotWrite) {
    if (!is_root())
        GTEST_SKIP() << "needs root to become another user";
    fs::create_directory(folder.file("closed"));
    folder.write("closed/old.json", "old");
    folder.write("kept.json", "old");
    expect_refused({"--json", "closed/x.json"}, "Permission denied", {.ordinary_user = true});
    expect_refused({"--json", "closed/old.json"}, "Permission denied", {.ordinary_user = true});
    expect_refused({"--json", "kept.json"}, "Permission denied", {.ordinary_user = true});
    expect_refused({"--output", "closed"}, "Permission denied", {.ordinary_user = true});
    expect_refused({"--output", "closed/below"}, "Permission denied", {.ordinary_user = true});
    EXPECT_EQ(read_text(folder.file("kept.json")), "old");
}

TEST_F(DemoOutput, WritesWholeFilesAndNothingElse) {
    folder.write("old.json", "old");
    fs::create_symlink("old.json", folder.file("link.json"));
    const tool_result result = run({"--json", "link.json", "--output", "other"});
    EXPECT_THAT(result.exit_code, testing::AnyOf(0, 1)) << result.diagnostics;
    const std::string report = read_text(folder.file("other/report.json"));
    EXPECT_TRUE(nlohmann::json::accept(report));
    EXPECT_EQ(read_text(folder.file("old.json")), report) << "through the link";
    EXPECT_TRUE(fs::is_symlink(folder.file("link.json")));
    const std::string page = read_text(folder.file("other/report.html"));
    EXPECT_THAT(page, HasSubstr("prefers-color-scheme: dark"));
    EXPECT_THAT(page, HasSubstr("</html>"));
    for (const std::string& name : folder.content())
        EXPECT_THAT(name, testing::Not(HasSubstr("part")));
}

TEST_F(DemoOutput, GoesOnWithoutGnuplot) {
    const tool_result result = run({}, {.environment = {"PATH=/nowhere"}});
    EXPECT_THAT(result.exit_code, testing::AnyOf(0, 1));
    EXPECT_THAT(result.diagnostics, HasSubstr("gnuplot is not installed"));
    EXPECT_FALSE(fs::exists(folder.file("resident-demo/histogram.svg")));
    EXPECT_THAT(read_text(folder.file("resident-demo/report.html")), HasSubstr("No picture"));
}

TEST_F(DemoOutput, FailsIfStandardOutputTakesNoMore) {
    const tool_result result = run({}, {.output_to = "/dev/full"});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.diagnostics, HasSubstr("No space left on device"));
}

TEST_F(DemoOutput, KeepsDataAndDiagnosticsApart) {
    const tool_result quiet = run({});
    EXPECT_THAT(quiet.output, HasSubstr("the loop on"));
    EXPECT_LE(std::count(quiet.output.begin(), quiet.output.end(), '\n'), 4);
    const tool_result json = run({"--json", "-"});
    EXPECT_TRUE(nlohmann::json::accept(json.output)) << json.output;
}

} // namespace
} // namespace resident::test
