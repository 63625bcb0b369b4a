/// Children: started, watched, and never left behind.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace resident::os {

/// What to start, and where.
struct child_options {
    /// Looked for along PATH. Default: the program that is running now.
    std::string program = "/proc/self/exe";
    /// The first is the name that the child goes by.
    std::vector<std::string> arguments;
    /// "NAME=value", beside the environment of this process.
    std::vector<std::string> environment{};
    /// Become descriptors 3, 4, ... of the child; all others but 0 to 2 are closed.
    std::vector<int> descriptors{};
    /// Directory of a memory cgroup that it starts in; empty: this process's own.
    std::string cgroup{};
};

/// How a child ended.
struct child_end {
    int exit_code = 0; ///< meaningful if signal is 0
    int signal = 0;
};

/// One child. It gets no input, its output and diagnostics are kept for output(), it stands in a
/// process group of its own (a control-C is this process's to handle), and the kernel ends it when
/// this process ends in any way. Destroying the object ends it.
class child_process {
public:
    /// Fails, with why in `reason`, if and only if no process can be made, it cannot enter the
    /// cgroup, or the program cannot be executed. Call from the main thread.
    static std::optional<child_process> start(const child_options& options, std::string& reason);

    child_process(child_process&& other) noexcept
        : process_(std::exchange(other.process_, 0)), output_(std::exchange(other.output_, -1)),
          end_(other.end_) {}
    child_process& operator=(child_process&& other) noexcept {
        std::swap(process_, other.process_);
        std::swap(output_, other.output_);
        std::swap(end_, other.end_);
        return *this;
    }
    ~child_process();

    [[nodiscard]] pid_t id() const noexcept { return process_; }
    /// Null while it runs.
    const std::optional<child_end>& poll();
    /// Waits for its end.
    child_end wait();
    /// Ends it, and waits for that.
    void kill();
    /// What it has printed so far, on either stream.
    [[nodiscard]] std::string output() const;

private:
    child_process(pid_t process, int output) : process_(process), output_(output) {}
    void keep_end(int status);

    pid_t process_;
    int output_;
    std::optional<child_end> end_;
};

} // namespace resident::os
