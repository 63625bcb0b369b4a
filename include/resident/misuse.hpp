/// What happens when a check of a pool fails.
#pragma once

#include <cstddef>
#include <cstdint>

namespace resident {

/// What a check found. Printed as it stands by the default handler.
enum class misuse_kind : std::uint8_t {
    foreign_pointer,    ///< the pointer is not from this pool, or its slab went back to the arena
    misaligned_pointer, ///< the pointer is in the middle of a block, or was never handed out
    wrong_size,         ///< freed with a size, or an alignment, that it was not allocated with
    double_free,        ///< the block is free already
    corrupted_link,     ///< a free block's link was written to
    overflow,           ///< behind the block was written to
    underflow,          ///< before the block was written to
    use_after_free,     ///< a free block was written to
    leak,               ///< not freed when the pool was destroyed
};

/// Name of an enumerator as written above. Static storage; never null.
[[nodiscard]] const char* to_string(misuse_kind value) noexcept;

/// A failed check.
struct misuse {
    misuse_kind kind = misuse_kind::foreign_pointer;
    const void* address = nullptr; ///< as passed to the pool; else of the block, or first leak
    const void* slab = nullptr;    ///< begin of the slab or run; null if none is concerned
    std::size_t block_size = 0;    ///< of the slab's size class, bytes; 0 if none is concerned
    std::size_t bytes = 0;         ///< the size passed to the pool; 0 if none; all of the leaks
    const char* message = nullptr; ///< all of it, in words, one line; valid during the call
};

/// Called for a failed check, on the thread that called the pool. If it returns, the call that
/// failed the check has no effect, and the block stays as it is; a slab whose link was written to
/// loses its free blocks: they count as in use, until release(). An allocation succeeds none the
/// less. The behavior is undefined if it throws, or calls the pool.
using misuse_handler = void (*)(const misuse&);

/// Effects: makes `handler` the handler of every pool; null: the default one, which prints the
/// message to stderr and aborts. Returns: the handler before. Nothing is allocated. Threads: any.
misuse_handler set_misuse_handler(misuse_handler handler) noexcept;

} // namespace resident
