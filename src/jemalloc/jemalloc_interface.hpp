/// The part of jemalloc's interface that is used here, as version 5 has it. Declared here, so that
/// the runtime package suffices, and so that no header of jemalloc's declares a malloc of its own.
#pragma once

#include <cstddef>

// The prefix that jemalloc's functions were given when it was configured; usually none.
#if !defined(RESIDENT_JEMALLOC_PREFIX)
#define RESIDENT_JEMALLOC_PREFIX
#endif
#define RESIDENT_JEMALLOC_PASTE(prefix, name) prefix##name
#define RESIDENT_JEMALLOC_EXPANDED(prefix, name) RESIDENT_JEMALLOC_PASTE(prefix, name)
#define RESIDENT_JEMALLOC(name) RESIDENT_JEMALLOC_EXPANDED(RESIDENT_JEMALLOC_PREFIX, name)

extern "C" {

void* RESIDENT_JEMALLOC(mallocx)(std::size_t bytes, int flags);
void RESIDENT_JEMALLOC(dallocx)(void* block, int flags);
std::size_t RESIDENT_JEMALLOC(sallocx)(const void* block, int flags);
int RESIDENT_JEMALLOC(mallctl)(const char* name, void* old_value, std::size_t* old_length,
                               void* new_value, std::size_t new_length);
int RESIDENT_JEMALLOC(mallctlnametomib)(const char* name, std::size_t* mib, std::size_t* length);
int RESIDENT_JEMALLOC(mallctlbymib)(const std::size_t* mib, std::size_t mib_length, void* old_value,
                                    std::size_t* old_length, void* new_value,
                                    std::size_t new_length);

} // extern "C"

namespace resident::jemalloc_interface {

/// extent_hooks_t. A hook that is null, or returns true, has declined.
struct extent_hooks {
    void* (*allocate)(extent_hooks* hooks, void* new_address, std::size_t bytes,
                      std::size_t alignment, bool* zero, bool* commit, unsigned arena);
    bool (*deallocate)(extent_hooks* hooks, void* address, std::size_t bytes, bool committed,
                       unsigned arena);
    void (*destroy)(extent_hooks* hooks, void* address, std::size_t bytes, bool committed,
                    unsigned arena);
    bool (*commit)(extent_hooks* hooks, void* address, std::size_t bytes, std::size_t offset,
                   std::size_t length, unsigned arena);
    bool (*decommit)(extent_hooks* hooks, void* address, std::size_t bytes, std::size_t offset,
                     std::size_t length, unsigned arena);
    bool (*purge_lazily)(extent_hooks* hooks, void* address, std::size_t bytes, std::size_t offset,
                         std::size_t length, unsigned arena);
    bool (*purge)(extent_hooks* hooks, void* address, std::size_t bytes, std::size_t offset,
                  std::size_t length, unsigned arena);
    bool (*split)(extent_hooks* hooks, void* address, std::size_t bytes, std::size_t first_bytes,
                  std::size_t second_bytes, bool committed, unsigned arena);
    bool (*merge)(extent_hooks* hooks, void* first, std::size_t first_bytes, void* second,
                  std::size_t second_bytes, bool committed, unsigned arena);
};

// The flags of mallocx and its kin.
constexpr int no_thread_cache = 1 << 8; ///< MALLOCX_TCACHE_NONE
constexpr int in_arena(unsigned index) noexcept {
    return static_cast<int>((index + 1) << 20);
} ///< MALLOCX_ARENA
constexpr int aligned_to_power(int power) noexcept { return power; } ///< MALLOCX_LG_ALIGN

} // namespace resident::jemalloc_interface
