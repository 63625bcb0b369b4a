#include "support/in_child.hpp"

#include <array>
#include <cstdio>

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

} // namespace

std::optional<std::string> text_from_child(const std::function<std::string()>& function) {
    std::fflush(nullptr); // or the child writes it a second time
    int ends[2];
    if (pipe(ends) != 0) {
        return std::nullopt;
    }
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        _exit(write_all(ends[1], function()) ? 0 : 1);
    }
    close(ends[1]);
    std::string text = read_all(ends[0]);
    close(ends[0]);
    int status = 1;
    const bool whole = child > 0 && waitpid(child, &status, 0) == child && status == 0;
    return whole ? std::optional{std::move(text)} : std::nullopt;
}

} // namespace resident::bench
