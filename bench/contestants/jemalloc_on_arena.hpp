/// jemalloc's heap confined to an arena, as the library offers it where it is built with jemalloc.
#pragma once

#include "contestants/contestant.hpp"
#include "support/shared_arena.hpp"

#if defined(RESIDENT_BENCH_JEMALLOC_RESOURCE)
#include <resident/jemalloc_resource.hpp>
#endif

#include <cstddef>
#include <memory_resource>

namespace resident::bench {

#if defined(RESIDENT_BENCH_JEMALLOC_RESOURCE)
class jemalloc_on_arena : public on_shared_arena {
public:
    static constexpr const char* name = "je on arena";
    static constexpr const char* what = "resident::jemalloc_resource on the arena";

    void* allocate(std::size_t bytes) { return heap_.allocate(bytes); }
    void deallocate(void* block, std::size_t) noexcept { heap_.deallocate(block); }
    std::pmr::memory_resource& resource() noexcept { return heap_; }

private:
    jemalloc_resource heap_{shared_arena()};
};
#else
using jemalloc_on_arena = missing;
#endif

} // namespace resident::bench
