/// What tools are told about blocks: the one place that knows AddressSanitizer and Valgrind.
///
/// A pool whose blocks are watched is closed, so all of this happens out of line; a program that is
/// built without AddressSanitizer and runs without Valgrind pays nothing.
#pragma once

#include "os/sanitizers.hpp"

#include <cstddef>

#if RESIDENT_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define RESIDENT_MEMCHECK 1
#else
#define RESIDENT_MEMCHECK 0
#endif

namespace resident::detail {

/// Whether a tool is there that wants to be told.
inline bool blocks_are_watched() noexcept {
#if RESIDENT_ADDRESS_SANITIZER
    return true;
#elif RESIDENT_MEMCHECK
    return RUNNING_ON_VALGRIND != 0;
#else
    return false;
#endif
}

/// [begin, begin + bytes) may be used; what it holds counts as never written.
inline void annotate_allocated(const void* begin, std::size_t bytes) noexcept {
#if RESIDENT_ADDRESS_SANITIZER
    ASAN_UNPOISON_MEMORY_REGION(begin, bytes);
#elif RESIDENT_MEMCHECK
    VALGRIND_MALLOCLIKE_BLOCK(begin, bytes, 0, 0);
#else
    (void)begin;
    (void)bytes;
#endif
}

/// [begin, begin + bytes) must not be touched any more by the program.
inline void annotate_freed(const void* begin, std::size_t bytes) noexcept {
#if RESIDENT_ADDRESS_SANITIZER
    ASAN_POISON_MEMORY_REGION(begin, bytes);
#elif RESIDENT_MEMCHECK
    VALGRIND_FREELIKE_BLOCK(begin, 0);
    (void)bytes;
#else
    (void)begin;
    (void)bytes;
#endif
}

/// The pool itself may touch [begin, begin + bytes) until annotate_hidden.
inline void annotate_opened(const void* begin, std::size_t bytes) noexcept {
#if RESIDENT_ADDRESS_SANITIZER
    ASAN_UNPOISON_MEMORY_REGION(begin, bytes);
#elif RESIDENT_MEMCHECK
    VALGRIND_MAKE_MEM_DEFINED(begin, bytes);
#else
    (void)begin;
    (void)bytes;
#endif
}

inline void annotate_hidden(const void* begin, std::size_t bytes) noexcept {
#if RESIDENT_ADDRESS_SANITIZER
    ASAN_POISON_MEMORY_REGION(begin, bytes);
#elif RESIDENT_MEMCHECK
    VALGRIND_MAKE_MEM_NOACCESS(begin, bytes);
#else
    (void)begin;
    (void)bytes;
#endif
}

} // namespace resident::detail
