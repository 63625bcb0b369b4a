/// The general-purpose allocators. Each is called by the functions that are its own, so that all of
/// them live in one process and the program's malloc stays the C library's (bench/CMakeLists.txt
/// sees to the order of the libraries, verify_contestants() checks it). Declared here, so that the
/// runtime packages suffice.
#pragma once

#include "contestants/contestant.hpp"

#include <cstddef>
#include <cstdlib>

extern "C" {
#if defined(RESIDENT_BENCH_JEMALLOC)
void* mallocx(std::size_t bytes, int flags);
#endif
#if defined(RESIDENT_BENCH_MIMALLOC)
void* mi_malloc(std::size_t bytes);
void mi_free_size(void* block, std::size_t bytes);
#endif
#if defined(RESIDENT_BENCH_TCMALLOC)
void* tc_malloc(std::size_t bytes);
void tc_free_sized(void* block, std::size_t bytes);
#endif
#if defined(RESIDENT_BENCH_TBBMALLOC)
void* scalable_malloc(std::size_t bytes);
void scalable_free(void* block);
#endif
}

namespace resident::bench {

class glibc {
public:
    static constexpr const char* name = "glibc";
    static constexpr const char* what = "the C library's malloc and free";
    void* allocate(std::size_t bytes) noexcept { return std::malloc(bytes); }
    void deallocate(void* block, std::size_t) noexcept { std::free(block); }
};

#if defined(RESIDENT_BENCH_JEMALLOC)
/// Its malloc and free proper, which are a quarter faster than mallocx and no slower than sdallocx.
/// Called through pointers, as the others are by the linkage table of a shared library.
class jemalloc {
public:
    static constexpr const char* name = "jemalloc";
    static constexpr const char* what = "jemalloc's own malloc and free";
    void* allocate(std::size_t bytes) noexcept { return malloc_function(bytes); }
    void deallocate(void* block, std::size_t) noexcept { free_function(block); }

    using malloc_type = void*(std::size_t);
    using free_type = void(void*);
    static malloc_type* const malloc_function;
    static free_type* const free_function;
};
#else
using jemalloc = missing;
#endif

#if defined(RESIDENT_BENCH_MIMALLOC)
class mimalloc {
public:
    static constexpr const char* name = "mimalloc";
    static constexpr const char* what = "mi_malloc and mi_free_size";
    void* allocate(std::size_t bytes) noexcept { return mi_malloc(bytes); }
    void deallocate(void* block, std::size_t bytes) noexcept { mi_free_size(block, bytes); }
};
#else
using mimalloc = missing;
#endif

#if defined(RESIDENT_BENCH_TCMALLOC)
class tcmalloc {
public:
    static constexpr const char* name = "tcmalloc";
    static constexpr const char* what = "tc_malloc and tc_free_sized of gperftools";
    void* allocate(std::size_t bytes) noexcept { return tc_malloc(bytes); }
    void deallocate(void* block, std::size_t bytes) noexcept { tc_free_sized(block, bytes); }
};
#else
using tcmalloc = missing;
#endif

#if defined(RESIDENT_BENCH_TBBMALLOC)
class tbbmalloc {
public:
    static constexpr const char* name = "tbbmalloc";
    static constexpr const char* what = "scalable_malloc and scalable_free of oneTBB";
    void* allocate(std::size_t bytes) noexcept { return scalable_malloc(bytes); }
    void deallocate(void* block, std::size_t) noexcept { scalable_free(block); }
};
#else
using tbbmalloc = missing;
#endif

} // namespace resident::bench
