// However the demo ends, the machine is as it was: no swap file, no cgroup, no process.
#include "support/build.hpp"
#include "tool/run_tool.hpp"
#include "tool/traces.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace resident::test {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class SerialDemoCleanup : public testing::Test {
protected:
    void SetUp() override {
        if (sanitized)
            GTEST_SKIP() << "the hog and a sanitizer do not fit one small cgroup";
        if (const std::string why = why_no_pressure(); !why.empty())
            GTEST_SKIP() << why;
        folder.write("input", "a: 1\nb: 2\n\nc: 3\n");
    }

    std::vector<std::string> arguments() const {
        return {"demo", "-q", "--input", "input", "--capacity", "8MiB"};
    }
    tool_options here() const { return {.folder = folder.path()}; }

    void expect_no_report() const {
        EXPECT_EQ(folder.content(), std::set<std::string>{"input"}) << "nor a folder for one";
    }

    scratch_folder folder;
};

class SerialDemoSignals : public SerialDemoCleanup, public testing::WithParamInterface<int> {};

TEST_P(SerialDemoSignals, LeavesNoTraceAfterASignal) {
    running_tool tool(arguments(), here());
    const traces made = traces_under_pressure(tool);
    tool.send(GetParam());
    EXPECT_EQ(tool.wait().signal, GetParam()) << "whoever started it must see why it ended";
    expect_machine_as_before(made);
    if (GetParam() == SIGKILL) {
        std::error_code ignored; // nobody was left to remove the folder, but it is empty
        fs::remove(folder.file("resident-demo"), ignored);
    }
    expect_no_report();
}

INSTANTIATE_TEST_SUITE_P(Each, SerialDemoSignals, testing::Values(SIGINT, SIGTERM, SIGHUP, SIGKILL),
                         [](const auto& signal) {
                             return std::string(sigabbrev_np(signal.param));
                         });

TEST_F(SerialDemoCleanup, EndOfTheHogEndsTheRunAndIsCleanedUp) {
    running_tool tool(arguments(), here());
    const traces made = traces_under_pressure(tool);
    for (const pid_t hog : children_of(tool.id(), "hog-child"))
        ::kill(hog, SIGKILL);
    const tool_result result = tool.wait();
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.diagnostics, HasSubstr("the memory hog has ended"));
    expect_machine_as_before(made);
    expect_no_report();
}

TEST_F(SerialDemoCleanup, EndOfTheGuardianIsMadeUpForByTheTool) {
    running_tool tool(arguments(), here());
    const traces made = traces_under_pressure(tool);
    const pid_t guardian = guardian_of(tool.id());
    ASSERT_NE(guardian, 0);
    ::kill(guardian, SIGKILL);
    tool.send(SIGTERM);
    EXPECT_EQ(tool.wait().signal, SIGTERM);
    expect_machine_as_before(made);
    expect_no_report();
}

TEST_F(SerialDemoCleanup, EndOfTheWholeTreeOfProcessesIsCleanedUp) {
    running_tool tool(arguments(), here());
    const traces made = traces_under_pressure(tool);
    kill_with_all_descendants(tool.id());
    EXPECT_EQ(tool.wait().signal, SIGKILL);
    expect_machine_as_before(made);
}

TEST_F(SerialDemoCleanup, EndOfAContestantIsReportedAndTheOthersGoOn) {
    std::vector<std::string> short_turns = arguments();
    short_turns.insert(short_turns.end(), {"-D", "500ms"});
    running_tool tool(short_turns, here());
    const traces made = traces_under_pressure(tool);
    for (const pid_t contestant : children_of(tool.id(), "contest-child"))
        ::kill(contestant, SIGKILL);
    const tool_result result = tool.wait();
    EXPECT_EQ(result.exit_code, 0) << result.diagnostics;
    EXPECT_THAT(read_text(folder.file("resident-demo/report.json")),
                HasSubstr("ended by signal 9"));
    expect_machine_as_before(made);
}

} // namespace
} // namespace resident::test
