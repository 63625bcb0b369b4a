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
int mallctl(const char* name, void* old_value, std::size_t* old_bytes, void* new_value,
            std::size_t new_bytes);
#endif
#if defined(RESIDENT_BENCH_MIMALLOC)
void* mi_malloc(std::size_t bytes);
void mi_free_size(void* block, std::size_t bytes);
struct mi_heap_s;
mi_heap_s* mi_heap_get_default();
bool mi_heap_visit_blocks(const mi_heap_s* heap, bool every_block,
                          bool (*visit)(const mi_heap_s* heap, const void* area, void* block,
                                        std::size_t bytes, void* argument),
                          void* argument);
#endif
#if defined(RESIDENT_BENCH_TCMALLOC)
void* tc_malloc(std::size_t bytes);
void tc_free_sized(void* block, std::size_t bytes);
int MallocExtension_GetNumericProperty(const char* property, std::size_t* value);
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

    static std::size_t bytes_in_use() noexcept;
    static constexpr bool caches_until_thread_ends = true;
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

    static std::size_t bytes_in_use() noexcept; ///< after this thread's cache was emptied

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

    static std::size_t bytes_in_use() noexcept; ///< of this thread
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

    static std::size_t bytes_in_use() noexcept;
};
#else
using tcmalloc = missing;
#endif

#if defined(RESIDENT_BENCH_TBBMALLOC)
/// Does not tell how much it has given out.
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
