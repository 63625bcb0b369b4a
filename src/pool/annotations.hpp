/// What tools are told about blocks: the one place that knows AddressSanitizer and Valgrind.
///
/// A pool whose blocks are watched is closed, so all of this happens out of line; a program that is
/// built without AddressSanitizer and runs without Valgrind pays nothing.
///
///     a block of a slab   [ hidden ][ allocated, exactly as requested ][ hidden ]
///     free, or unused     [ hidden                                              ]
///     given back          [ as the arena had it: anybody may use it             ]
#pragma once

#include "os/sanitizers.hpp"

#include <cstddef>

#if RESIDENT_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif
#if !RESIDENT_ADDRESS_SANITIZER && __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define RESIDENT_MEMCHECK 1
#else
#define RESIDENT_MEMCHECK 0
#endif

namespace resident::detail {

#if RESIDENT_MEMCHECK
/// Asked once, when the first pool is made: each request to Valgrind is a score of instructions.
inline bool valgrind_watches() noexcept {
    static const bool watches = RUNNING_ON_VALGRIND != 0;
    return watches;
}
#endif

/// Whether a tool is there that wants to be told.
inline bool blocks_are_watched() noexcept {
#if RESIDENT_ADDRESS_SANITIZER
    return true;
#elif RESIDENT_MEMCHECK
    return valgrind_watches();
#else
    return false;
#endif
}

// Valgrind keeps the blocks of a pool by the pool's address.

inline void annotate_pool_begun([[maybe_unused]] const void* pool) noexcept {
#if RESIDENT_MEMCHECK
    if (valgrind_watches()) {
        VALGRIND_CREATE_MEMPOOL(pool, 0, 0);
    }
#endif
}

/// None of the pool's blocks is in use any more.
inline void annotate_pool_ended([[maybe_unused]] const void* pool) noexcept {
#if RESIDENT_MEMCHECK
    if (valgrind_watches()) {
        VALGRIND_DESTROY_MEMPOOL(pool);
    }
#endif
}

/// [begin, begin + bytes) may be used; what it holds counts as never written.
inline void annotate_allocated([[maybe_unused]] const void* pool,
                               [[maybe_unused]] const void* begin,
                               [[maybe_unused]] std::size_t bytes) noexcept {
#if RESIDENT_ADDRESS_SANITIZER
    ASAN_UNPOISON_MEMORY_REGION(begin, bytes);
#elif RESIDENT_MEMCHECK
    if (valgrind_watches()) {
        VALGRIND_MEMPOOL_ALLOC(pool, begin, bytes);
    }
#endif
}

/// What was allocated there is free; annotate_hidden must follow for the whole block.
inline void annotate_freed([[maybe_unused]] const void* pool,
                           [[maybe_unused]] const void* begin) noexcept {
#if RESIDENT_MEMCHECK
    if (valgrind_watches()) {
        VALGRIND_MEMPOOL_FREE(pool, begin);
    }
#endif
}

/// What was allocated there may be used up to `bytes`.
inline void annotate_enlarged([[maybe_unused]] const void* pool, [[maybe_unused]] const void* begin,
                              [[maybe_unused]] std::size_t bytes) noexcept {
#if RESIDENT_ADDRESS_SANITIZER
    ASAN_UNPOISON_MEMORY_REGION(begin, bytes);
#elif RESIDENT_MEMCHECK
    if (valgrind_watches()) {
        VALGRIND_MEMPOOL_CHANGE(pool, begin, begin, bytes);
        (void)VALGRIND_MAKE_MEM_DEFINED(begin, bytes); // what was written there must stay so
    }
#endif
}

/// The pool itself may touch [begin, begin + bytes) until annotate_hidden.
inline void annotate_opened([[maybe_unused]] const void* begin,
                            [[maybe_unused]] std::size_t bytes) noexcept {
#if RESIDENT_ADDRESS_SANITIZER
    ASAN_UNPOISON_MEMORY_REGION(begin, bytes);
#elif RESIDENT_MEMCHECK
    if (valgrind_watches())
        (void)VALGRIND_MAKE_MEM_DEFINED(begin, bytes);
#endif
}

/// Nobody may touch [begin, begin + bytes).
inline void annotate_hidden([[maybe_unused]] const void* begin,
                            [[maybe_unused]] std::size_t bytes) noexcept {
#if RESIDENT_ADDRESS_SANITIZER
    ASAN_POISON_MEMORY_REGION(begin, bytes);
#elif RESIDENT_MEMCHECK
    if (valgrind_watches())
        (void)VALGRIND_MAKE_MEM_NOACCESS(begin, bytes);
#endif
}

/// [begin, begin + bytes) is the arena's again.
inline void annotate_given_back([[maybe_unused]] const void* begin,
                                [[maybe_unused]] std::size_t bytes) noexcept {
#if RESIDENT_ADDRESS_SANITIZER
    ASAN_UNPOISON_MEMORY_REGION(begin, bytes);
#elif RESIDENT_MEMCHECK
    if (valgrind_watches())
        (void)VALGRIND_MAKE_MEM_UNDEFINED(begin, bytes);
#endif
}

/// Whether a byte is known to be hidden; false where no tool can tell.
inline bool is_hidden([[maybe_unused]] const void* byte) noexcept {
#if RESIDENT_ADDRESS_SANITIZER
    return __asan_address_is_poisoned(byte) != 0;
#else
    return false;
#endif
}

} // namespace resident::detail
