#include "contestants/malloc_like.hpp"

#include <cstdint>

#include <dlfcn.h>
#include <malloc.h>

namespace resident::bench {

std::size_t glibc::bytes_in_use() noexcept {
    const struct mallinfo2 told = mallinfo2();
    return told.uordblks + told.hblkhd; // in its heaps and mapped by themselves
}

#if defined(RESIDENT_BENCH_JEMALLOC)

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

std::size_t jemalloc::bytes_in_use() noexcept {
    mallctl("thread.tcache.flush", nullptr, nullptr, nullptr, 0);
    std::uint64_t epoch = 1; // takes the statistics anew
    std::size_t bytes = sizeof epoch;
    mallctl("epoch", &epoch, &bytes, &epoch, bytes);
    std::size_t allocated = 0;
    bytes = sizeof allocated;
    mallctl("stats.allocated", &allocated, &bytes, nullptr, 0);
    return allocated;
}

#endif

#if defined(RESIDENT_BENCH_MIMALLOC)
std::size_t mimalloc::bytes_in_use() noexcept {
    std::size_t sum = 0;
    const auto add = [](const mi_heap_s*, const void*, void* block, std::size_t bytes,
                        void* argument) {
        *static_cast<std::size_t*>(argument) += block == nullptr ? 0 : bytes; // null: an area
        return true;
    };
    mi_heap_visit_blocks(mi_heap_get_default(), true, add, &sum);
    return sum;
}
#endif

#if defined(RESIDENT_BENCH_TCMALLOC)
std::size_t tcmalloc::bytes_in_use() noexcept {
    std::size_t bytes = 0;
    MallocExtension_GetNumericProperty("generic.current_allocated_bytes", &bytes);
    return bytes;
}
#endif

} // namespace resident::bench
