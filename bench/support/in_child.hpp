/// Runs something in a child process, which takes everything it did to memory away with it.
#pragma once

#include <optional>
#include <type_traits>

#include <sys/wait.h>
#include <unistd.h>

namespace resident::bench {

/// Returns: what `function` returned in a child forked here; none if the child did not come to
/// that. Call while the process has one thread.
template <class Function>
auto in_child(Function function) -> std::optional<std::invoke_result_t<Function>> {
    using result = std::invoke_result_t<Function>;
    static_assert(std::is_trivially_copyable_v<result>);
    int ends[2];
    if (pipe(ends) != 0) {
        return std::nullopt;
    }
    const pid_t child = fork();
    if (child == 0) {
        const result made = function();
        const bool sent = write(ends[1], &made, sizeof made) == ssize_t{sizeof made};
        _exit(sent ? 0 : 1);
    }
    close(ends[1]);
    result received{};
    const bool whole = read(ends[0], &received, sizeof received) == ssize_t{sizeof received};
    close(ends[0]);
    if (child > 0) {
        waitpid(child, nullptr, 0);
    }
    return whole ? std::optional{received} : std::nullopt;
}

} // namespace resident::bench
