#include "support/machine.hpp"

#include "contestants/malloc_like.hpp"
#include "support/shared_arena.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <dlfcn.h>
#include <sched.h>
#include <sys/utsname.h>

namespace resident::bench {

namespace {

std::string processor_name() {
    std::ifstream file{"/proc/cpuinfo"};
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("model name")) {
            return line.substr(line.find(':') + 2);
        }
    }
    return "unknown processor";
}

std::vector<int> allowed_processors() {
    std::vector<int> found;
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
        for (int processor = 0; processor != CPU_SETSIZE; ++processor) {
            if (CPU_ISSET(static_cast<std::size_t>(processor), &allowed)) {
                found.push_back(processor);
            }
        }
    }
    return found;
}

/// Those that this thread might run on at the first call.
const std::vector<int>& processors() {
    static const std::vector<int> found = allowed_processors();
    return found;
}

bool pin_to(int processor) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(processor), &one);
    return sched_setaffinity(0, sizeof one, &one) == 0;
}

/// The file that holds a function; empty for none.
std::string_view library_of(const void* function) {
    Dl_info found{};
    return function != nullptr && dladdr(function, &found) != 0 ? found.dli_fname : "";
}

void require_library(const char* function, const void* address, const char* library) {
    const std::string_view actual = library_of(address);
    if (actual.find(library) == std::string_view::npos) {
        std::fprintf(stderr, "%s is in \"%.*s\", not in %s: nothing was measured.\n", function,
                     static_cast<int>(actual.size()), actual.data(), library);
        std::exit(1);
    }
}

struct expectation {
    const char* function;
    const char* library;
};

constexpr auto expectations = std::to_array<expectation>({
    {"malloc", "libc.so"}, {"free", "libc.so"}, {"_Znwm", "libstdc++.so"}, // operator new
#if defined(RESIDENT_BENCH_JEMALLOC)
        {"mallocx", "libjemalloc.so"}, {"sdallocx", "libjemalloc.so"},
#endif
#if defined(RESIDENT_BENCH_MIMALLOC)
        {"mi_malloc", "libmimalloc.so"}, {"mi_free_size", "libmimalloc.so"},
#endif
#if defined(RESIDENT_BENCH_TCMALLOC)
        {"tc_malloc", "libtcmalloc_minimal.so"}, {"tc_free_sized", "libtcmalloc_minimal.so"},
#endif
#if defined(RESIDENT_BENCH_TBBMALLOC)
        {"scalable_malloc", "libtbbmalloc.so"}, {"scalable_free", "libtbbmalloc.so"},
#endif
});

} // namespace

int pin_to_one_processor() {
    const std::vector<int>& allowed = processors();
    return !allowed.empty() && pin_to(allowed.back()) ? allowed.back() : -1;
}

void pin_in_turn(std::size_t index) {
    if (const std::vector<int>& allowed = processors(); !allowed.empty()) {
        pin_to(allowed[index % allowed.size()]);
    }
}

void verify_contestants() {
    for (const expectation& each : expectations) {
        // The linker leaves a library out that the program does not call.
        if (const void* const address = dlsym(RTLD_DEFAULT, each.function); address != nullptr) {
            require_library(each.function, address, each.library);
        }
    }
#if defined(RESIDENT_BENCH_JEMALLOC)
    require_library("jemalloc's malloc", reinterpret_cast<const void*>(jemalloc::malloc_function),
                    "libjemalloc.so");
    require_library("jemalloc's free", reinterpret_cast<const void*>(jemalloc::free_function),
                    "libjemalloc.so");
#endif
}

void describe_machine(int pinned_to) {
    utsname kernel{};
    uname(&kernel);
    std::printf("%s, %s %s, ", processor_name().c_str(), kernel.sysname, kernel.release);
    if (pinned_to >= 0) {
        std::printf("pinned to processor %d\n", pinned_to);
    } else {
        std::printf("not pinned\n");
    }
    const arena& memory = shared_arena();
    std::printf("Arena: %zu MiB, %s, pages: %s\n", memory.statistics().capacity >> 20,
                memory.locked() ? "locked" : "NOT LOCKED (see ulimit -l)",
                to_string(memory.pages()));
}

void name_missing_contestants() {
    constexpr std::string_view not_found = RESIDENT_BENCH_MISSING;
    if (!not_found.empty()) {
        std::printf("Not found; install, configure and build again for:\n%.*s\n",
                    static_cast<int>(not_found.size()), not_found.data());
    }
}

} // namespace resident::bench
