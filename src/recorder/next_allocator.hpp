/// The allocator that the program would have without the recorder.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>

namespace resident::recorder {

struct next_allocator {
    void* (*malloc)(std::size_t);
    void* (*calloc)(std::size_t, std::size_t);
    void* (*realloc)(void*, std::size_t);
    void (*free)(void*);
    int (*posix_memalign)(void**, std::size_t, std::size_t);
    void* (*aligned_alloc)(std::size_t, std::size_t);
    void* (*memalign)(std::size_t, std::size_t);
    int (*pthread_create)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
};

extern next_allocator found;
extern std::atomic<bool> search_begun;
void find_next_allocator() noexcept;

/// Found at the first call. While they are looked for they are null: the dynamic loader may itself
/// allocate, which the functions below serve.
[[nodiscard]] inline const next_allocator& next() noexcept {
    // The first call comes from the loader, before there is a second thread.
    if (!search_begun.load(std::memory_order_acquire)) [[unlikely]]
        find_next_allocator();
    return found;
}

/// Whether what returns to `code` was called by the next allocator: that is code of the library
/// that has it, or of this one, where a function returns to that ends in the call of another. Never
/// code of the C library, whose functions do not call one another by these names: what is called
/// from there is called for others. Calls nothing: for signal handlers.
[[nodiscard]] bool is_next_allocator(const void* code) noexcept;

/// Memory from a small static store, zeroed and never given back. Null if it is used up.
void* allocate_early(std::size_t bytes) noexcept;
[[nodiscard]] bool is_early(const void* block) noexcept;
/// How many bytes from `block` on are in the store.
[[nodiscard]] std::size_t early_bytes_from(const void* block) noexcept;

} // namespace resident::recorder
