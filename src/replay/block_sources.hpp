/// The ways of getting blocks that a replay knows, behind one set of names without virtual calls of
/// its own.
#pragma once

#include "replay/operation.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory_resource>
#include <new>

namespace resident::replay {

// A source has
//   void* allocate(bytes, alignment_log2)                  null if it refuses
//   void deallocate(block, bytes, alignment_log2)          never of null
//   void* reallocate(block, old bytes, bytes, alignment_log2, old alignment_log2)
//                                                          null, and the block is as it was
// and a constant `gives_memory`: whether blocks can be written to. It may have
//   std::size_t bytes_in_use()                             that were not freed

/// malloc of the process, whoever that is.
struct malloc_source {
    static constexpr bool gives_memory = true;

    static void* allocate(std::size_t bytes, std::uint8_t alignment_log2) noexcept {
        if (alignment_log2 == malloc_alignment)
            return std::malloc(bytes); // NOLINT: what is measured
        void* block = nullptr;
        const std::size_t alignment = std::max(alignment_of(alignment_log2), sizeof(void*));
        return ::posix_memalign(&block, alignment, bytes) == 0 ? block : nullptr;
    }
    static void deallocate(void* block, std::size_t, std::uint8_t) noexcept {
        std::free(block); // NOLINT: what is measured
    }
    static void* reallocate(void* block, std::size_t, std::size_t bytes, std::uint8_t,
                            std::uint8_t) noexcept {
        return std::realloc(block, std::max<std::size_t>(bytes, 1)); // NOLINT: 0 would free it
    }
};

/// What has no realloc: allocate, copy, free, as its users do.
template <class Source>
struct copying_source {
    static void* reallocate(Source& source, void* block, std::size_t old_bytes, std::size_t bytes,
                            std::uint8_t alignment_log2, std::uint8_t old_alignment_log2) {
        void* const moved = source.allocate(bytes, alignment_log2);
        if (moved == nullptr)
            return nullptr;
        std::memcpy(moved, block, std::min(old_bytes, bytes));
        source.deallocate(block, old_bytes, old_alignment_log2);
        return moved;
    }
};

/// Any memory resource, by its virtual functions. Sizes are multiples of the alignment, as those of
/// arrays of a type are: the pools of libstdc++ 12 do not align blocks of other sizes.
class resource_source {
public:
    static constexpr bool gives_memory = true;
    explicit resource_source(std::pmr::memory_resource& resource) noexcept : resource_(&resource) {}

    void* allocate(std::size_t bytes, std::uint8_t alignment_log2) noexcept {
        try {
            return resource_->allocate(whole(bytes, alignment_log2), alignment_of(alignment_log2));
        } catch (const std::bad_alloc&) {
            return nullptr;
        }
    }
    void deallocate(void* block, std::size_t bytes, std::uint8_t alignment_log2) noexcept {
        resource_->deallocate(block, whole(bytes, alignment_log2), alignment_of(alignment_log2));
    }
    void* reallocate(void* block, std::size_t old_bytes, std::size_t bytes,
                     std::uint8_t alignment_log2, std::uint8_t old_alignment_log2) noexcept {
        return copying_source<resource_source>::reallocate(*this, block, old_bytes, bytes,
                                                           alignment_log2, old_alignment_log2);
    }

private:
    static std::size_t whole(std::size_t bytes, std::uint8_t alignment_log2) noexcept {
        const std::size_t alignment = alignment_of(alignment_log2);
        return (bytes + alignment - 1) & ~(alignment - 1);
    }

    std::pmr::memory_resource* resource_;
};

/// One of the pools of this library, called directly.
template <class Pool>
class pool_source {
public:
    static constexpr bool gives_memory = true;
    explicit pool_source(Pool& pool) noexcept : pool_(&pool) {}

    void* allocate(std::size_t bytes, std::uint8_t alignment_log2) noexcept {
        return pool_->try_allocate(bytes, alignment_of(alignment_log2));
    }
    void deallocate(void* block, std::size_t bytes, std::uint8_t alignment_log2) noexcept {
        pool_->deallocate(block, bytes, alignment_of(alignment_log2));
    }
    void* reallocate(void* block, std::size_t old_bytes, std::size_t bytes,
                     std::uint8_t alignment_log2, std::uint8_t old_alignment_log2) noexcept {
        return copying_source<pool_source>::reallocate(*this, block, old_bytes, bytes,
                                                       alignment_log2, old_alignment_log2);
    }

    /// Once every block is freed, this is 0.
    [[nodiscard]] std::size_t bytes_in_use() const noexcept {
        pool_->trim(); // what is on its way between threads arrives
        return pool_->statistics().in_use;
    }

private:
    Pool* pool_;
};

/// The control: what the replay itself takes.
struct empty_source {
    static constexpr bool gives_memory = false;

    void* allocate(std::size_t, std::uint8_t) noexcept { return this; }
    static void deallocate(void*, std::size_t, std::uint8_t) noexcept {}
    static void* reallocate(void* block, std::size_t, std::size_t, std::uint8_t,
                            std::uint8_t) noexcept {
        return block;
    }
};

} // namespace resident::replay
