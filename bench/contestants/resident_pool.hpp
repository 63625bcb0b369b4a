/// What all of this is about: the pool over the arena, as it is and by its own allocator.
#pragma once

#include <resident/allocator.hpp>

#include "support/shared_arena.hpp"

#include <cstddef>
#include <memory_resource>

namespace resident::bench {

class resident_pool {
public:
    static constexpr const char* name = "resident";

    void* allocate(std::size_t bytes) { return pool_.allocate(bytes); }
    void deallocate(void* block, std::size_t bytes) noexcept { pool_.deallocate(block, bytes); }
    std::pmr::memory_resource& resource() noexcept { return pool_; }
    template <class T>
    auto allocator() noexcept {
        return resident::allocator<T>{pool_};
    }

private:
    unsynchronized_pool_resource pool_{shared_arena()};
};

} // namespace resident::bench
