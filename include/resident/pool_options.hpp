/// How a pool is to behave.
#pragma once

#include "resident/pool_statistics.hpp"

#include <cstddef>
#include <cstdint>
#include <memory_resource>

namespace resident {

/// What a pool checks at each call. With `off` nothing, and every call takes the inline path. With
/// any other level every call goes out of line; so it does in programs run under Valgrind or built
/// with AddressSanitizer (library included), whose pools check as at `cheap` at least. What fails a
/// check is told to the misuse handler (misuse.hpp); if that returns, the call had no effect.
///
/// `cheap`, for about 700 instructions a pair, finds
///
/// - a pointer that is not from the pool, or was freed and its slab went back to the arena
///   (foreign_pointer); one into the middle of a block, or to what was never handed out
///   (misaligned_pointer);
/// - a size or alignment that another size class serves, and with runs any other one (wrong_size).
///   While blocks of larger classes are lent to smaller requests, because memory ran out, their
///   sizes may pass for each other's;
/// - a block freed twice, if no other of its slab was freed between, if all of the slab's are free,
///   or if AddressSanitizer watches (double_free);
/// - the link in a free block that was written to, before it is followed (corrupted_link).
///
/// `full` takes 40 bytes more for a block, so that the largest pooled request is smaller by as much
/// (if aligned to more than 32 bytes: the alignment and 8), and time in proportion to it: about
/// 1400 instructions a pair of 64 bytes. Freeing the last block of a slab reads all of the slab.
/// It finds beside these
///
/// - every block freed twice, as long as its slab has not gone back (else foreign_pointer);
/// - a size or alignment other than requested;
/// - a byte written behind the memory requested, when it is freed (overflow), or before it, unless
///   it is aligned to more than a granule (underflow);
/// - a byte written to a free block, when it is handed out again or goes back to the arena
///   (use_after_free); not in unpooled runs and blocks of whole granules: they go back at once;
/// - at destruction, what was not freed, with sizes (leak).
///
/// A block freed twice after its memory was handed out again passes for the new one. Blocks of
/// upstream are not checked; `cheap` takes every pointer from outside the arena for upstream's, if
/// there is one, and `full` looks through all of upstream's blocks. Reading is seen by tools alone:
/// they know each block by the bytes requested; but only at `full` does something lie between a
/// block that is used up to its end and the next.
///
/// pool_statistics::requested is exact at `full`; at `cheap` if blocks are freed with their size.
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
    /// what fills whole granules. While less than an eighth of the arena is free, slabs have the
    /// length that leaves least behind the last block, whatever this is: 8 KiB of 85 blocks, say.
    std::size_t max_blocks_per_chunk = 0;
    /// As in std::pmr::pool_options: bytes; larger requests are runs of the arena. 0, or more than
    /// 64 KiB: 64 KiB. Others are rounded up to a block size.
    std::size_t largest_required_pool_block = 0;
    check_level checks = check_level::off;
    failure_observer on_failure{};
};

namespace detail {

/// What std::pmr's options say of a pool.
[[nodiscard]] inline pool_options converted(const std::pmr::pool_options& options) noexcept {
    return {.max_blocks_per_chunk = options.max_blocks_per_chunk,
            .largest_required_pool_block = options.largest_required_pool_block};
}

} // namespace detail

} // namespace resident
