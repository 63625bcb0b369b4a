#include "os/harness/terminal.hpp"

#include <cerrno>
#include <cstring>
#include <string_view>

#include <sys/ioctl.h>
#include <unistd.h>

namespace resident::os {

bool output_is_terminal() noexcept { return ::isatty(STDOUT_FILENO) == 1; }
bool diagnostics_are_terminal() noexcept { return ::isatty(STDERR_FILENO) == 1; }

std::size_t terminal_columns() noexcept {
    winsize size{};
    const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : 80;
}

std::string write_output(const std::string& text) {
    std::string_view rest = text;
    while (!rest.empty()) {
        const ssize_t written = ::write(STDOUT_FILENO, rest.data(), rest.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return std::strerror(errno);
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

bool is_root() noexcept { return ::geteuid() == 0; }
int process_id() noexcept { return ::getpid(); }

} // namespace resident::os
