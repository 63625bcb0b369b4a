#include "support/progress.hpp"

#include "os/harness/terminal.hpp"

#include <cstdio>

namespace resident::bench {

void waiting_line::show(const std::string& what) {
    if (os::diagnostics_are_terminal()) {
        std::fprintf(stderr, "\r\033[K%s ...", what.c_str());
        shown_ = true;
    }
}

waiting_line::~waiting_line() {
    if (shown_) {
        std::fputs("\r\033[K", stderr);
    }
}

} // namespace resident::bench
