/// The allocator that the program would have without the recorder.
#pragma once

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

/// Found at the first call. While they are looked for they are null but for `free`: the dynamic
/// loader may itself allocate, which the functions below serve.
[[nodiscard]] const next_allocator& next() noexcept;

/// Memory from a small static store, zeroed and never given back. Null if it is used up.
void* allocate_early(std::size_t bytes) noexcept;
[[nodiscard]] bool is_early(const void* block) noexcept;
/// How many bytes from `block` on are in the store.
[[nodiscard]] std::size_t early_bytes_from(const void* block) noexcept;

} // namespace resident::recorder
