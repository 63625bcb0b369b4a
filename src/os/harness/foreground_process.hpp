/// A program that this one stands for: it has the terminal, and gets the signals.
#pragma once

#include "os/harness/child_process.hpp"

#include <optional>
#include <string>
#include <vector>

namespace resident::os {

struct foreground_options {
    std::string program;                    ///< a path
    std::vector<std::string> arguments;     ///< the first is the name it goes by
    std::vector<std::string> environment{}; ///< "NAME=value", beside that of this process
};

struct foreground_end {
    child_end how;
    unsigned long process; ///< the id that it had
};

/// Effects: runs the program with the descriptors, the process group and the signal mask of this
/// process, and waits for its end. A signal that another process sends to this one to end or to
/// tell it something is sent on to the program, once; what the terminal or another process sends to
/// the whole group, the program gets anyway, and this process outlives it. Call from the main
/// thread, without other threads.
/// Fails, with why in `reason`, if and only if no process can be made or the program not executed.
std::optional<foreground_end> run_in_foreground(const foreground_options& options,
                                                std::string& reason);

/// Whether the kernel would give this program rights that this process does not have (by the set-
/// user-ID bit, the set-group-ID bit or file capabilities): the loader preloads nothing then.
bool gains_privileges(const std::string& program);

/// Makes sure that all of the file is on the disk. Returns: 0 or the errno.
int flush_file(const std::string& path);

} // namespace resident::os
