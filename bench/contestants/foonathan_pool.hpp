/// foonathan/memory's collection of pools, one for each power of two, on the arena.
#pragma once

#include "contestants/contestant.hpp"
#include "support/shared_arena.hpp"

#if defined(RESIDENT_BENCH_FOONATHAN)
#include <foonathan/memory/memory_pool_collection.hpp>
#endif

#include <cstddef>

namespace resident::bench {

#if defined(RESIDENT_BENCH_FOONATHAN)
class foonathan_pool : public on_shared_arena {
public:
    static constexpr const char* name = "foonathan";
    static constexpr const char* what =
        "foonathan::memory::memory_pool_collection of powers of two, on the arena";

    /// A hash table of 8 192 keys. The pool refuses larger blocks.
    static constexpr std::size_t largest = std::size_t{128} << 10;

    void* allocate(std::size_t bytes) { return pool_.allocate_node(bytes); }
    void deallocate(void* block, std::size_t bytes) { pool_.deallocate_node(block, bytes); }

private:
    /// What the library calls a RawAllocator.
    struct arena_upstream {
        using is_stateful = std::false_type;
        void* allocate_node(std::size_t bytes, std::size_t alignment) {
            return shared_arena().allocate(bytes, alignment);
        }
        void deallocate_node(void* run, std::size_t bytes, std::size_t alignment) noexcept {
            shared_arena().deallocate(run, bytes, alignment);
        }
    };

    static constexpr std::size_t first_block = std::size_t{1} << 20; // twice as much each time

    foonathan::memory::memory_pool_collection<foonathan::memory::node_pool,
                                              foonathan::memory::log2_buckets, arena_upstream>
        pool_{largest, first_block};
};
#else
using foonathan_pool = missing;
#endif

} // namespace resident::bench
