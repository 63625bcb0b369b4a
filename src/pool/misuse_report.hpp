/// What a failed check tells the handler, put together without allocating.
#pragma once

#include "resident/misuse.hpp"

#include <cstdarg>
#include <cstddef>
#include <cstdint>

namespace resident::detail {

/// The call of a pool that a check belongs to.
struct checked_call {
    static constexpr std::size_t not_told = ~std::size_t{0};

    const char* name = nullptr; ///< "deallocate", or what else the pool was about
    bool has_address = false;   ///< whether it is a call with an address
    const void* address = nullptr;
    std::size_t bytes = not_told;
    std::size_t alignment = 1;
};

/// Where in a pool a block lies.
struct block_place {
    std::byte* begin = nullptr;      ///< of the block
    std::size_t extent = 0;          ///< of the block, bytes
    const std::byte* slab = nullptr; ///< null: it is a run by itself
    std::uint32_t number = 0;        ///< in the slab
    std::uint32_t first = 0;         ///< the slab's or run's first granule
    std::uint8_t size_class = 0;
};

/// A text that grows at its end, and is cut off where it is full.
class misuse_text {
public:
    [[gnu::format(printf, 2, 3)]] void add(const char* format, ...) noexcept;
    [[gnu::format(printf, 2, 0)]] void add(const char* format, std::va_list arguments) noexcept;
    [[nodiscard]] const char* get() const noexcept { return text_; }

private:
    char text_[768] = {};
    std::size_t length_ = 0;
};

/// Effects: calls the handler for what `text` says.
void report_misuse(misuse_kind kind, const void* address, const block_place* where,
                   std::size_t bytes, const misuse_text& text) noexcept;

/// Adds "resident: pool on arena "name": deallocate(0x7f..., 48 bytes): ".
void add_call(misuse_text& text, const char* arena_name, const checked_call& call) noexcept;
/// Adds "; block 3 of the slab at 0x7f... of 48-byte blocks".
void add_place(misuse_text& text, const block_place& where) noexcept;

} // namespace resident::detail
