#include "support/in_child.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <deque>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace resident::bench {

namespace {

bool write_all(int end, const std::string& text) {
    for (std::size_t done = 0; done != text.size();) {
        const ssize_t written = write(end, text.data() + done, text.size() - done);
        if (written <= 0) {
            return false;
        }
        done += static_cast<std::size_t>(written);
    }
    return true;
}

std::string read_all(int end) {
    std::string text;
    std::array<char, 4096> part{};
    for (ssize_t count = 0; (count = read(end, part.data(), part.size())) > 0;) {
        text.append(part.data(), static_cast<std::size_t>(count));
    }
    return text;
}

struct running_child {
    pid_t process = -1;
    int output = -1;
};

running_child start(const std::function<std::string()>& function) {
    std::fflush(nullptr); // or the child writes it a second time
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return {};
    }
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        prctl(PR_SET_PDEATHSIG, SIGKILL); // who asked is gone: nobody would read
        _exit(write_all(ends[1], function()) ? 0 : 1);
    }
    close(ends[1]);
    return {child, ends[0]};
}

child_result finish(const running_child& child) {
    if (child.output < 0) {
        return {.failure = "a pipe for its process could not be made"};
    }
    std::string text = read_all(child.output);
    close(child.output);
    int status = 0;
    if (child.process < 0 || waitpid(child.process, &status, 0) != child.process) {
        return {.failure = "a process for it could not be started"};
    }
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
        return {.failure = "its process was killed, most likely for want of memory"};
    }
    if (WIFSIGNALED(status)) {
        return {.failure = "its process crashed", .crashed = true};
    }
    if (WEXITSTATUS(status) != 0) {
        return {.failure =
                    "its process ended with exit code " + std::to_string(WEXITSTATUS(status))};
    }
    return {.text = std::move(text)};
}

} // namespace

child_result text_from_child(const std::function<std::string()>& function) {
    return finish(start(function));
}

std::vector<child_result>
text_from_children(const std::vector<std::function<std::string()>>& functions) {
    const std::size_t together = std::max(1U, std::thread::hardware_concurrency());
    std::vector<child_result> texts;
    std::deque<running_child> running;
    for (const auto& function : functions) {
        if (running.size() == together) {
            texts.push_back(finish(running.front()));
            running.pop_front();
        }
        running.push_back(start(function));
    }
    for (const running_child& child : running) {
        texts.push_back(finish(child));
    }
    return texts;
}

} // namespace resident::bench
