/// The contestants that any number of threads may use at a time, and what they are held against.
#pragma once

#include <resident/synchronized_pool_resource.hpp>

#include "contestants/all.hpp"
#include "contestants/resident_pool.hpp"
#include "support/shared_arena.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <memory_resource>
#include <vector>

namespace resident::bench {

class resident_shared_pool : public pool_over_arena<synchronized_pool_resource> {
public:
    static constexpr const char* name = "resident";
    static constexpr const char* what = "resident::synchronized_pool_resource on a locked arena";
};

/// On the arena, so that its blocks lie on the same pages.
class std_shared_pool : public on_shared_arena {
public:
    static constexpr const char* name = "std arena";
    static constexpr const char* what = "std::pmr::synchronized_pool_resource on the arena";

    void* allocate(std::size_t bytes) { return pool_.allocate(in_whole_alignments(bytes)); }
    void deallocate(void* block, std::size_t bytes) {
        pool_.deallocate(block, in_whole_alignments(bytes));
    }
    std::pmr::memory_resource& resource() noexcept { return pool_; }

private:
    std::pmr::synchronized_pool_resource pool_{std_pool_options, &shared_arena()};
};

using concurrent_contestants =
    contestant_list<resident_shared_pool, jemalloc, jemalloc_on_arena, mimalloc, tcmalloc,
                    tbbmalloc, glibc, glibc_locked, std_shared_pool>;

/// The pool for one thread: what it costs that others may come.
class one_thread_pool : public resident_pool {
public:
    static constexpr const char* name = "one thread";
    static constexpr const char* what = "resident::unsynchronized_pool_resource, for comparison";
};

/// What a workload costs without an allocator. Blocks are those of an array, in turn; freeing does
/// nothing. Threads have parts of the array of their own, unless there are many of them at a time.
class no_heap {
public:
    static constexpr const char* name = "no heap";
    static constexpr const char* what = "no allocator: blocks of an array, in turn";

    static constexpr bool is_no_allocator = true;

    void* allocate(std::size_t) noexcept {
        return &blocks_[part_ * blocks_of_part + next_++ % blocks_of_part];
    }
    void deallocate(void*, std::size_t) noexcept {}

private:
    struct alignas(64) block {
        std::array<std::byte, 64> content;
    };

    /// More than the workloads have on their way from one thread to the other.
    static constexpr std::size_t blocks_of_part = 2048;
    static constexpr std::size_t parts = 16;

    static std::size_t part_in_turn() noexcept {
        static std::atomic<std::size_t> given = 0;
        return given.fetch_add(1, std::memory_order_relaxed) % parts;
    }

    static inline thread_local const std::size_t part_ = part_in_turn();
    static inline thread_local std::size_t next_ = 0;

    std::vector<block> blocks_ = std::vector<block>(parts * blocks_of_part);
};

} // namespace resident::bench
