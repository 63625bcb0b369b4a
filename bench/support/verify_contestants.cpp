// Apart from the rest of machine.hpp: a program without contestants must not load their libraries.
#include "contestants/malloc_like.hpp"
#include "support/machine.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <dlfcn.h>

namespace resident::bench {

namespace {

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

} // namespace resident::bench
