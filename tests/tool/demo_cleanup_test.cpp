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
        // Names of our own: tests of another checkout may run beside these.
        const std::string name = "resident-test-" + std::to_string(::getpid());
        std::string reason;
        if (!os::memory_cgroup::create(name, std::size_t{64} << 20, reason))
            GTEST_SKIP() << "no memory cgroup here: " << reason;
        const std::string swap = "/var/tmp/" + name + ".swap";
        const std::string failure = os::add_swap_file(swap, std::size_t{1} << 20);
        os::remove_swap_file(swap);
        if (!failure.empty())
            GTEST_SKIP() << "no swap file here: " << failure;
        folder.write("input", "a: 1\nb: 2\n\nc: 3\n");
    }

    std::vector<std::string> arguments() const {
        return {"demo", "-q", "--input", "input", "--capacity", "8MiB"};
    }
    tool_options here() const { return {.folder = folder.path()}; }

    /// What a tool has made, and must leave behind none of.
    struct traces {
        std::string cgroup;
        std::string swap_file;
        std::vector<pid_t> children;
    };

    /// Waits until a contestant is measured beside the hog; then tells what there is.
    static traces traces_under_pressure(const running_tool& tool) {
        EXPECT_TRUE(becomes_true([&] { return !children_of(tool.id(), "hog-child").empty(); }));
        const std::string name = "resident-demo-" + std::to_string(tool.id());
        std::string reason;
        traces found{os::memory_cgroup::directory_of(name, reason), "/" + name + ".swap",
                     children_of(tool.id())};
        EXPECT_TRUE(fs::exists(found.cgroup));
        EXPECT_GE(found.children.size(), 3U) << "guardian, contestant, hog";
        return found;
    }

    static void expect_machine_as_before(const traces& made) {
        EXPECT_TRUE(becomes_true([&] { return !fs::exists(made.cgroup); })) << made.cgroup;
        EXPECT_TRUE(becomes_true([&] {
            return read_text("/proc/swaps").find(made.swap_file) == std::string::npos;
        })) << read_text("/proc/swaps");
        for (const char* place : {"/var/tmp", "/var/lib", "/tmp"})
            EXPECT_FALSE(fs::exists(place + made.swap_file)) << place;
        for (const pid_t child : made.children)
            EXPECT_TRUE(becomes_true([&] { return has_ended(child); })) << "process " << child;
    }

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
    for (const pid_t child : made.children)
        if (read_text("/proc/" + std::to_string(child) + "/comm") == "resident-guard\n")
            ::kill(child, SIGKILL);
    tool.send(SIGTERM);
    EXPECT_EQ(tool.wait().signal, SIGTERM);
    expect_machine_as_before(made);
    expect_no_report();
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
