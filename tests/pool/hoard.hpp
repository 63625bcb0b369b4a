/// Running a pool out of memory on purpose.
#pragma once

#include <resident/unsynchronized_pool_resource.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace resident::test {

/// Bytes that a pool takes for itself, as unsynchronized_pool_resource.hpp says.
inline constexpr std::size_t pool_state_size = 16 * 1024;

/// Takes all that is left of a pool and its arena, so that no request is served; gives it back at
/// the end.
class hoard {
public:
    explicit hoard(unsynchronized_pool_resource& pool) : pool_(pool) {
        bool took = true;
        while (took) { // what the pool gives back when asked in vain, the arena has again
            took = false;
            while (void* run = pool.source().try_allocate(arena::granule_size))
                runs_.push_back(run), took = true;
            const auto classes = pool.statistics().classes;
            for (auto each = classes.rbegin(); each != classes.rend(); ++each)
                while (void* block = pool.try_allocate(each->block_size, 8))
                    blocks_.emplace_back(block, each->block_size), took = true;
        }
    }
    ~hoard() {
        for (const auto& [block, bytes] : blocks_)
            pool_.deallocate(block, bytes, 8);
        for (void* run : runs_)
            pool_.source().deallocate_run(run);
    }
    hoard(const hoard&) = delete;
    hoard& operator=(const hoard&) = delete;

private:
    unsynchronized_pool_resource& pool_;
    std::vector<void*> runs_;
    std::vector<std::pair<void*, std::size_t>> blocks_;
};

/// Requests `bytes` until refused. Returns: the blocks.
inline std::vector<void*> fill(unsynchronized_pool_resource& pool, std::size_t bytes,
                               std::size_t alignment = 8) {
    std::vector<void*> blocks;
    while (void* block = pool.try_allocate(bytes, alignment))
        blocks.push_back(block);
    return blocks;
}

inline void free_all(unsynchronized_pool_resource& pool, const std::vector<void*>& blocks,
                     std::size_t bytes, std::size_t alignment = 8) {
    for (void* block : blocks)
        pool.deallocate(block, bytes, alignment);
}

/// The class that serves `bytes`.
inline size_class_statistics class_of(const pool_statistics& statistics, std::size_t bytes) {
    for (const size_class_statistics& each : statistics.classes)
        if (each.block_size >= bytes)
            return each;
    return {};
}

} // namespace resident::test
