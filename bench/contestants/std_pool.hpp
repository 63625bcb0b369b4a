/// The standard library's pool, whose free memory never serves another size.
#pragma once

#include "contestants/malloc_like.hpp"
#include "support/shared_arena.hpp"

#include <cstddef>
#include <memory_resource>

namespace resident::bench {

/// Blocks above this go to the upstream: the largest that a workload asks for is pooled.
inline constexpr std::pmr::pool_options std_pool_options{
    .max_blocks_per_chunk = 0, .largest_required_pool_block = std::size_t{32} << 10};

/// Every block aligned, as asked for by default: libstdc++ 12 does not heed the alignment of sizes
/// that are no multiple of it.
inline constexpr std::size_t in_whole_alignments(std::size_t bytes) noexcept {
    constexpr std::size_t alignment = alignof(std::max_align_t);
    return (bytes + alignment - 1) / alignment * alignment;
}

class std_pool {
public:
    explicit std_pool(std::pmr::memory_resource& upstream) : pool_(std_pool_options, &upstream) {}

    void* allocate(std::size_t bytes) { return pool_.allocate(in_whole_alignments(bytes)); }
    void deallocate(void* block, std::size_t bytes) {
        pool_.deallocate(block, in_whole_alignments(bytes));
    }
    std::pmr::memory_resource& resource() noexcept { return pool_; }

private:
    std::pmr::unsynchronized_pool_resource pool_;
};

class std_pool_on_arena : public std_pool, public on_shared_arena {
public:
    static constexpr const char* name = "std arena";
    static constexpr const char* what = "std::pmr::unsynchronized_pool_resource on the arena";
    std_pool_on_arena() : std_pool(shared_arena()) {}
};

class std_pool_on_malloc : public std_pool {
public:
    static constexpr const char* name = "std malloc";
    static constexpr const char* what = "std::pmr::unsynchronized_pool_resource on malloc";
    static std::size_t bytes_in_use() noexcept { return glibc::bytes_in_use(); }
    static constexpr bool caches_until_thread_ends = glibc::caches_until_thread_ends;

    std_pool_on_malloc() : std_pool(*std::pmr::new_delete_resource()) {}
};

} // namespace resident::bench
