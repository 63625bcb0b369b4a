/// What all of this is about: the pool over the arena, as it is and by its own allocator.
#pragma once

#include <resident/allocator.hpp>

#include "support/shared_arena.hpp"

#include <array>
#include <cstddef>
#include <memory_resource>

namespace resident::bench {

class resident_pool {
public:
    static constexpr const char* name = "resident";

    void* allocate(std::size_t bytes) { return pool_.allocate(bytes); }
    void deallocate(void* block, std::size_t bytes) noexcept { pool_.deallocate(block, bytes); }
    /// As a container does it for a node.
    template <std::size_t Bytes>
    void* allocate_fixed() {
        return allocator<node<Bytes>>().allocate(1);
    }
    template <std::size_t Bytes>
    void deallocate_fixed(void* block) noexcept {
        allocator<node<Bytes>>().deallocate(static_cast<node<Bytes>*>(block), 1);
    }
    std::pmr::memory_resource& resource() noexcept { return pool_; }
    template <class T>
    auto allocator() noexcept {
        return resident::allocator<T>{pool_};
    }

private:
    template <std::size_t Bytes>
    struct node {
        alignas(std::max_align_t) std::array<std::byte, Bytes> content;
    };

    unsynchronized_pool_resource pool_{shared_arena()};
};

} // namespace resident::bench
