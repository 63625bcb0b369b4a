// However the demo ends, the machine is as it was: no swap file, no cgroup, no process.
#include "os/harness/memory_cgroup.hpp"
#include "os/harness/swap_file.hpp"
#include "support/build.hpp"
#include "tool/run_tool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <thread>

namespace resident::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
namespace fs = std::filesystem;

/// Waits up to 20 s, because the kernel and the guardian take a moment.
bool becomes_true(const std::function<bool()>& condition) {
    for (int attempt = 0; attempt < 400; ++attempt) {
        if (condition())
            return true;
        std::this_thread::sleep_for(50ms);
    }
    return false;
}

struct process {
    pid_t parent = 0;
    std::string command; ///< words separated by zeros; empty for one that has ended
};

std::map<pid_t, process> all_processes() {
    std::map<pid_t, process> found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const pid_t id = std::atoi(entry.path().filename().c_str());
        if (id <= 0)
            continue;
        const std::string status = read_text(entry.path() / "stat"); // id (name) state parent ...
        const std::size_t end_of_name = status.rfind(") ");
        if (end_of_name == std::string::npos)
            continue;
        found[id] = {std::atoi(status.c_str() + end_of_name + 4),
                     read_text(entry.path() / "cmdline")};
    }
    return found;
}

std::vector<pid_t> children_of(pid_t parent, const std::string& command = {}) {
    std::vector<pid_t> children;
    for (const auto& [id, it] : all_processes()) {
        if (it.parent == parent && it.command.find(command) != std::string::npos) {
            children.push_back(id);
        }
    }
    return children;
}

/// Ended, or a zombie that waits for the system's first process.
bool has_ended(pid_t process) {
    return read_text("/proc/" + std::to_string(process) + "/cmdline").empty();
}

class SerialDemoCleanup : public testing::Test {
protected:
    void SetUp() override {
        if (sanitized)
            GTEST_SKIP() << "the hog and a sanitizer do not fit one small cgroup";
        if (!is_root())
            GTEST_SKIP() << "needs root for a memory cgroup and swap";
        std::string reason;
        if (!os::memory_cgroup::create("resident-test-probe", std::size_t{64} << 20, reason)) {
            GTEST_SKIP() << "no memory cgroup here: " << reason;
        }
        const std::string swap = "/var/tmp/resident-test-probe.swap";
        const std::string failure = os::add_swap_file(swap, std::size_t{1} << 20);
        os::remove_swap_file(swap);
        if (!failure.empty())
            GTEST_SKIP() << "no swap file here: " << failure;
        swaps_before = read_text("/proc/swaps");
        folder.write("input", "a: 1\nb: 2\n\nc: 3\n");
    }

    std::vector<std::string> arguments() const {
        return {"demo", "-q", "-D", "3s", "--input", "input", "--capacity", "8MiB"};
    }
    tool_options here() const { return {.folder = folder.path()}; }

    static std::string cgroup_of(const running_tool& tool) {
        std::string reason;
        return os::memory_cgroup::directory_of("resident-demo-" + std::to_string(tool.id()),
                                               reason);
    }

    /// Until a contestant is measured beside the hog.
    static bool runs_under_pressure(const running_tool& tool) {
        return becomes_true([&] { return !children_of(tool.id(), "hog-child").empty(); });
    }

    void expect_no_trace(const std::string& cgroup, const std::vector<pid_t>& children) const {
        EXPECT_TRUE(becomes_true([&] { return !fs::exists(cgroup); })) << cgroup;
        EXPECT_TRUE(becomes_true([&] { return read_text("/proc/swaps") == swaps_before; }))
            << read_text("/proc/swaps");
        for (const pid_t child : children) {
            EXPECT_TRUE(becomes_true([&] { return has_ended(child); })) << "process " << child;
        }
        for (const auto& entry : fs::directory_iterator("/var/tmp")) {
            EXPECT_THAT(entry.path().filename(), testing::Not(HasSubstr("resident-demo")));
        }
        EXPECT_EQ(folder.content(), std::set<std::string>{"input"})
            << "no report, no folder for one";
    }

    scratch_folder folder;
    std::string swaps_before;
};

class SerialDemoSignals : public SerialDemoCleanup, public testing::WithParamInterface<int> {};

TEST_P(SerialDemoSignals, LeavesNoTraceAfterASignal) {
    running_tool tool(arguments(), here());
    const std::string cgroup = cgroup_of(tool);
    ASSERT_TRUE(runs_under_pressure(tool));
    ASSERT_TRUE(fs::exists(cgroup));
    const std::vector<pid_t> children = children_of(tool.id());
    ASSERT_GE(children.size(), 3U) << "guardian, contestant, hog";
    tool.send(GetParam());
    const tool_result result = tool.wait();
    EXPECT_EQ(result.signal, GetParam()) << "whoever started it must see why it ended";
    if (GetParam() == SIGKILL) {
        // Nobody was left to remove the folder, which is still empty.
        std::error_code ignored;
        fs::remove(folder.file("resident-demo"), ignored);
    }
    expect_no_trace(cgroup, children);
}

INSTANTIATE_TEST_SUITE_P(Each, SerialDemoSignals, testing::Values(SIGINT, SIGTERM, SIGHUP, SIGKILL),
                         [](const auto& signal) {
                             return std::string(sigabbrev_np(signal.param));
                         });

TEST_F(SerialDemoCleanup, EndOfTheHogEndsTheRunAndIsCleanedUp) {
    running_tool tool(arguments(), here());
    const std::string cgroup = cgroup_of(tool);
    ASSERT_TRUE(runs_under_pressure(tool));
    const std::vector<pid_t> children = children_of(tool.id());
    for (const pid_t hog : children_of(tool.id(), "hog-child"))
        ::kill(hog, SIGKILL);
    const tool_result result = tool.wait();
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.diagnostics, HasSubstr("the memory hog has ended"));
    expect_no_trace(cgroup, children);
}

TEST_F(SerialDemoCleanup, EndOfTheGuardianIsMadeUpForByTheTool) {
    running_tool tool(arguments(), here());
    const std::string cgroup = cgroup_of(tool);
    ASSERT_TRUE(runs_under_pressure(tool));
    const std::vector<pid_t> children = children_of(tool.id());
    for (const pid_t child : children) {
        const std::string name = read_text("/proc/" + std::to_string(child) + "/comm");
        if (name == "resident-guard\n")
            ::kill(child, SIGKILL);
    }
    tool.send(SIGTERM);
    EXPECT_EQ(tool.wait().signal, SIGTERM);
    expect_no_trace(cgroup, children);
}

TEST_F(SerialDemoCleanup, EndOfAContestantIsReportedAndTheOthersGoOn) {
    running_tool tool({"demo", "-q", "-D", "300ms", "--input", "input", "--capacity", "8MiB"},
                      here());
    ASSERT_TRUE(runs_under_pressure(tool));
    for (const pid_t contestant : children_of(tool.id(), "contest-child")) {
        ::kill(contestant, SIGKILL);
    }
    const tool_result result = tool.wait();
    EXPECT_EQ(result.exit_code, 0) << result.diagnostics;
    EXPECT_THAT(read_text(folder.file("resident-demo/report.json")),
                HasSubstr("ended by signal 9"));
    EXPECT_EQ(read_text("/proc/swaps"), swaps_before);
}

} // namespace
} // namespace resident::test
