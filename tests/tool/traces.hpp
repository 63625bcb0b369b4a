/// What a program that makes pressure has made of the machine, and whether it is gone.
#pragma once

#include "os/harness/memory_cgroup.hpp"
#include "os/harness/swap_file.hpp"
#include "tool/run_tool.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace resident::test {

/// Waits up to 20 s, because the kernel and the guardian take a moment.
inline bool becomes_true(const std::function<bool()>& condition) {
    for (int attempt = 0; attempt < 400; ++attempt) {
        if (condition())
            return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
}

struct process {
    pid_t parent = 0;
    std::string command; ///< words separated by zeros; empty for one that has ended
};

inline std::map<pid_t, process> all_processes() {
    std::map<pid_t, process> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
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

inline std::vector<pid_t> children_of(pid_t parent, const std::string& command = {}) {
    std::vector<pid_t> children;
    for (const auto& [id, it] : all_processes()) {
        if (it.parent == parent && it.command.find(command) != std::string::npos) {
            children.push_back(id);
        }
    }
    return children;
}

/// What cleans up after the tool; no child of it. 0 if there is none.
inline pid_t guardian_of(pid_t tool) {
    for (const auto& [id, it] : all_processes())
        if (read_text("/proc/" + std::to_string(id) + "/comm") ==
            "guard-" + std::to_string(tool) + "\n")
            return id;
    return 0;
}

/// As who ends a whole tree of processes finds it: by the parents, all stopped before any is ended.
inline void kill_with_all_descendants(pid_t root) {
    std::vector<pid_t> tree{root};
    for (std::size_t at = 0; at != tree.size(); ++at) {
        ::kill(tree[at], SIGSTOP);
        const std::vector<pid_t> children = children_of(tree[at]);
        tree.insert(tree.end(), children.begin(), children.end());
    }
    for (const pid_t each : tree)
        ::kill(each, SIGKILL);
}

/// Ended, or a zombie that waits for the system's first process.
inline bool has_ended(pid_t process) {
    return read_text("/proc/" + std::to_string(process) + "/cmdline").empty();
}

/// Empty, or why there can be no pressure here.
inline std::string why_no_pressure() {
    if (!is_root())
        return "needs root for a memory cgroup and swap";
    // Names of our own: tests of another checkout may run beside these.
    const std::string name = "resident-test-" + std::to_string(::getpid());
    std::string reason;
    if (!os::memory_cgroup::create(name, std::size_t{64} << 20, reason))
        return "no memory cgroup here: " + reason;
    const std::string swap = "/var/tmp/" + name + ".swap";
    const std::string failure = os::add_swap_file(swap, std::size_t{1} << 20);
    os::remove_swap_file(swap);
    return failure.empty() ? failure : "no swap file here: " + failure;
}

/// What a tool has made, and must leave behind none of.
struct traces {
    std::string cgroup;
    std::string swap_file;
    std::vector<pid_t> processes; ///< guardian, contestant, hog
};

/// Waits until a contestant is measured beside the hog; then tells what there is.
inline traces traces_under_pressure(const running_tool& tool) {
    EXPECT_TRUE(becomes_true([&] { return !children_of(tool.id(), "hog-child").empty(); }));
    const std::string name = "resident-demo-" + std::to_string(tool.id());
    std::string reason;
    traces found{os::memory_cgroup::directory_of(name, reason), "/" + name + ".swap",
                 children_of(tool.id())};
    const pid_t guardian = guardian_of(tool.id());
    EXPECT_NE(guardian, 0);
    found.processes.push_back(guardian);
    EXPECT_TRUE(std::filesystem::exists(found.cgroup));
    EXPECT_GE(found.processes.size(), 3U) << "guardian, contestant, hog";
    return found;
}

inline void expect_machine_as_before(const traces& made) {
    EXPECT_TRUE(becomes_true([&] { return !std::filesystem::exists(made.cgroup); })) << made.cgroup;
    EXPECT_TRUE(becomes_true([&] {
        return read_text("/proc/swaps").find(made.swap_file) == std::string::npos;
    })) << read_text("/proc/swaps");
    for (const char* place : {"/var/tmp", "/var/lib", "/tmp"})
        EXPECT_FALSE(std::filesystem::exists(place + made.swap_file)) << place;
    for (const pid_t each : made.processes)
        EXPECT_TRUE(becomes_true([&] { return has_ended(each); })) << "process " << each;
}

} // namespace resident::test
