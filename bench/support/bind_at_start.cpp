#include "support/bind_at_start.hpp"

#include <cstdlib>

#include <unistd.h>

namespace resident::bench {

void bind_at_start(char** argv) {
    if (std::getenv("LD_BIND_NOW") == nullptr && setenv("LD_BIND_NOW", "1", 1) == 0) {
        execv("/proc/self/exe", argv);
    }
}

} // namespace resident::bench
