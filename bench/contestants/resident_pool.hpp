/// What all of this is about: the pool over the arena, as it is and by its own allocator.
#pragma once

#include <resident/allocator.hpp>

#include "support/shared_arena.hpp"

#include <cstddef>
#include <memory_resource>

namespace resident::bench {

template <class Pool>
class pool_over_arena : public on_shared_arena {
public:
    void* allocate(std::size_t bytes) { return pool_.allocate(bytes); }
    void deallocate(void* block, std::size_t bytes) noexcept { pool_.deallocate(block, bytes); }
    std::pmr::memory_resource& resource() noexcept { return pool_; }
    template <class T>
    auto allocator() noexcept {
        return resident::allocator<T, Pool>{pool_};
    }

private:
    Pool pool_{shared_arena()};
};

class resident_pool : public pool_over_arena<unsynchronized_pool_resource> {
public:
    static constexpr const char* name = "resident";
    static constexpr const char* what = "resident::unsynchronized_pool_resource on a locked arena";
};

} // namespace resident::bench
