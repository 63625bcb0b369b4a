/// Allocators that can be confined to a fixed amount of memory. Each is built empty, refuses with
/// null, and tells in `total` the bytes it occupies: the memory it was given and its own object.
#pragma once

#include <resident/arena.hpp>
#include <resident/unsynchronized_pool_resource.hpp>

#include "contestants/boost_best_fit.hpp"
#include "contestants/jemalloc_on_arena.hpp"
#include "contestants/malloc_like.hpp"
#include "contestants/reference.hpp"
#include "contestants/std_pool.hpp"

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <new>
#include <span>

namespace resident::bench {

inline constexpr std::size_t confined_bytes = std::size_t{64} << 20;

/// Memory of a contestant that brings none of its own, aligned to its size; never given back.
std::span<std::byte> confined_memory();

inline arena_options confined_arena() {
    return {.capacity = confined_bytes, .lock = lock_policy::best_effort};
}

class confined_reference {
public:
    void* try_allocate(std::size_t bytes) noexcept {
        return bytes <= free_lists::largest ? lists_.try_allocate(bytes) : nullptr;
    }
    void deallocate(void* block, std::size_t bytes) noexcept { lists_.deallocate(block, bytes); }
    [[nodiscard]] std::size_t total() const noexcept { return confined_bytes + sizeof *this; }

private:
    free_lists lists_{confined_memory()};
};

/// std::pmr::unsynchronized_pool_resource over `Upstream`.
template <class Upstream>
class confined_std_pool {
public:
    void* try_allocate(std::size_t bytes) {
        try {
            return pool_.allocate(in_whole_alignments(bytes));
        } catch (const std::bad_alloc&) {
            return nullptr;
        }
    }
    void deallocate(void* block, std::size_t bytes) {
        pool_.deallocate(block, in_whole_alignments(bytes));
    }
    [[nodiscard]] std::size_t total() const noexcept { return upstream_.total() + sizeof pool_; }

private:
    Upstream upstream_;
    std::pmr::unsynchronized_pool_resource pool_{&upstream_.resource()};
};

class monotonic_upstream {
public:
    std::pmr::memory_resource& resource() noexcept { return buffer_; }
    [[nodiscard]] std::size_t total() const noexcept { return confined_bytes + sizeof *this; }

private:
    std::span<std::byte> memory_ = confined_memory();
    std::pmr::monotonic_buffer_resource buffer_{memory_.data(), memory_.size(),
                                                std::pmr::null_memory_resource()};
};

class arena_upstream {
public:
    std::pmr::memory_resource& resource() noexcept { return arena_; }
    [[nodiscard]] std::size_t total() const noexcept { return arena_.statistics().resident; }

private:
    arena arena_{confined_arena()};
};

/// The arena alone: every block is a run of granules.
class confined_arena_alone {
public:
    void* try_allocate(std::size_t bytes) noexcept { return arena_.try_allocate(bytes); }
    void deallocate(void* block, std::size_t) noexcept { arena_.deallocate_run(block); }
    [[nodiscard]] std::size_t total() const noexcept { return arena_.statistics().resident; }

private:
    arena arena_{confined_arena()};
};

/// The pool over an arena.
class confined_resident {
public:
    void* try_allocate(std::size_t bytes) noexcept { return pool_.try_allocate(bytes); }
    void deallocate(void* block, std::size_t bytes) noexcept { pool_.deallocate(block, bytes); }
    /// The pool's state lies in the arena.
    [[nodiscard]] std::size_t total() const noexcept {
        return arena_.statistics().resident + sizeof pool_;
    }

private:
    arena arena_{confined_arena()};
    unsynchronized_pool_resource pool_{arena_};
};

#if defined(RESIDENT_BENCH_BOOST_INTERPROCESS)
class confined_best_fit {
public:
    static constexpr bool is_slow = true;
    void* try_allocate(std::size_t bytes) { return tree_.try_allocate(bytes); }
    void deallocate(void* block, std::size_t) { tree_.deallocate(block); }
    [[nodiscard]] std::size_t total() const noexcept { return confined_bytes; }

private:
    best_fit_tree tree_{confined_memory()};
};
#else
using confined_best_fit = missing;
#endif

#if defined(RESIDENT_BENCH_JEMALLOC_RESOURCE)
/// The library's own way to confine jemalloc.
class confined_jemalloc {
public:
    void* try_allocate(std::size_t bytes) noexcept { return heap_.try_allocate(bytes); }
    void deallocate(void* block, std::size_t) noexcept { heap_.deallocate(block); }
    /// The heap's state lies in the arena.
    [[nodiscard]] std::size_t total() const noexcept {
        return arena_.statistics().resident + sizeof heap_;
    }

private:
    arena arena_{confined_arena()};
    jemalloc_resource heap_{arena_};
};
#else
using confined_jemalloc = missing;
#endif

#if defined(RESIDENT_BENCH_MIMALLOC)
extern "C" {
bool mi_manage_os_memory_ex(void* start, std::size_t bytes, bool committed, bool large, bool zero,
                            int numa_node, bool exclusive, void* arena);
mi_heap_s* mi_heap_new_in_arena(std::intptr_t arena);
void* mi_heap_malloc(mi_heap_s* heap, std::size_t bytes);
}

/// A heap in an exclusive arena; "large" tells it that the memory is locked.
class confined_mimalloc {
public:
    void* try_allocate(std::size_t bytes) noexcept { return mi_heap_malloc(heap_, bytes); }
    void deallocate(void* block, std::size_t bytes) noexcept { mi_free_size(block, bytes); }
    [[nodiscard]] std::size_t total() const noexcept { return confined_bytes; }

private:
    static mi_heap_s* heap_in(std::span<std::byte> memory) noexcept {
        std::intptr_t arena = 0; // an int in version 2, a pointer in version 3
        const bool managed = mi_manage_os_memory_ex(memory.data(), memory.size(), true, true, true,
                                                    -1, true, &arena);
        return managed ? mi_heap_new_in_arena(arena) : nullptr;
    }

    mi_heap_s* heap_ = heap_in(confined_memory());
};
#else
using confined_mimalloc = missing;
#endif

} // namespace resident::bench
