#include "contestants/malloc_like.hpp"

#include <dlfcn.h>

#if defined(RESIDENT_BENCH_JEMALLOC)

namespace resident::bench {

namespace {

/// jemalloc's own `function`, although the program's function of that name is the C library's.
void* of_jemalloc(const char* function) {
    // Keeps the linker from leaving the library out.
    asm volatile("" : : "r"(&mallocx));
    Dl_info library{};
    if (dladdr(dlsym(RTLD_DEFAULT, "mallocx"), &library) == 0) {
        return nullptr;
    }
    void* const handle = dlopen(library.dli_fname, RTLD_NOW | RTLD_NOLOAD);
    return handle == nullptr ? nullptr : dlsym(handle, function);
}

} // namespace

jemalloc::malloc_type* const jemalloc::malloc_function =
    reinterpret_cast<malloc_type*>(of_jemalloc("malloc"));
jemalloc::free_type* const jemalloc::free_function =
    reinterpret_cast<free_type*>(of_jemalloc("free"));

} // namespace resident::bench

#endif
