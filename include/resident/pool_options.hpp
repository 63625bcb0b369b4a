/// How a pool is to behave.
#pragma once

#include "resident/pool_statistics.hpp"

#include <cstddef>
#include <cstdint>
#include <memory_resource>

namespace resident {

/// What a pool checks at each call. `off` costs nothing; with any other level, and in programs run
/// under Valgrind or built with AddressSanitizer (library included), every call takes the path out
/// of line. A check that fails calls the misuse handler (misuse.hpp).
///
/// | level | finds, when the block is freed or allocated                          | costs a pair |
/// |-------|----------------------------------------------------------------------|----------------|
/// | off   | nothing                                                              | nothing | |
/// cheap | a pointer that is not from this pool; one into the middle of a block;| about 60       |
/// |       | a size or alignment of another size class; a block freed twice, while| instructions |
/// |       | first in its slab's list; a link of a free block that was written to,| | |       |
/// before it is followed                                                |                | | full
/// | beside these: every block freed twice; writing before or behind a    | time linear in | | |
/// block; writing to a free block; a size other than requested; and at  | the block, 40  | | |
/// destruction the blocks that were not freed, with their sizes         | bytes or more  |
enum class check_level : std::uint8_t { off, cheap, full };

/// Name of an enumerator as written above. Static storage; never null.
[[nodiscard]] const char* to_string(check_level value) noexcept;

/// Is told of each request that a pool refuses, on the thread that made it, before null is returned
/// or `std::bad_alloc` thrown. It must not call the pool.
struct failure_observer {
    void (*notify)(void* context, std::size_t bytes, std::size_t alignment,
                   const pool_statistics& statistics) noexcept = nullptr;
    void* context = nullptr;
};

/// How to build a pool. Every field may be left out.
struct pool_options {
    /// As in std::pmr::pool_options: most blocks a slab may have, 0 for the default; rounded to
    /// what fills whole granules. A slab may have up to 14 whatever this is: with fewer, too much
    /// would be left unused behind the last one.
    std::size_t max_blocks_per_chunk = 0;
    /// As in std::pmr::pool_options: bytes; larger requests are runs of the arena. 0, or more than
    /// 64 KiB: 64 KiB. Others are rounded up to a block size.
    std::size_t largest_required_pool_block = 0;
    check_level checks = check_level::off;
    failure_observer on_failure{};
};

} // namespace resident
