/// Where everything of an arena lies within its reservation. Arithmetic only.
#pragma once

#include "arena/run_allocator.hpp"
#include "resident/arena.hpp"

#include <cstddef>
#include <optional>

namespace resident::detail {

/// Chunks are populated, and the arena grows, in steps of this: longer steps make threads that
/// call mmap wait longer (kernel facts: 10 ms behind 2 MiB steps, 42 ms behind 64 MiB).
inline constexpr std::size_t step_size = 2_MiB;

/// value rounded up to a multiple of unit, a power of two. The behavior is undefined on overflow.
constexpr std::size_t round_up(std::size_t value, std::size_t unit) noexcept {
    return (value + unit - 1) & ~(unit - 1);
}

/// Bytes a page of the administrator's reserved huge pages; 0 for the kinds that use base pages.
constexpr std::size_t reserved_huge_page_size(page_kind kind) noexcept {
    return kind == page_kind::huge_2M ? 2_MiB : kind == page_kind::huge_1G ? 1_GiB : 0;
}

/// Byte offsets from the start of the reservation:
///
///     0        bookkeeping              data                     end
///     [ guard ][ state | records ][ guard ][ capacity | growth ][ guard ]
///                                          ^ aligned to data_alignment
struct arena_layout {
    std::size_t page = 0;                 ///< bytes a base page, and of each guard
    std::size_t data_alignment = 0;       ///< bytes; also the unit of growth
    std::size_t bookkeeping_reserved = 0; ///< bytes, for max_capacity
    std::size_t data_reserved = 0;        ///< bytes, max_capacity

    [[nodiscard]] constexpr std::size_t bookkeeping() const noexcept { return page; }
    [[nodiscard]] constexpr std::size_t data() const noexcept {
        return page + bookkeeping_reserved + page;
    }
    [[nodiscard]] constexpr std::size_t total() const noexcept {
        return data() + data_reserved + page;
    }
    /// Bytes of bookkeeping that must be resident for `capacity` bytes of data.
    [[nodiscard]] std::size_t bookkeeping_for(std::size_t capacity) const noexcept;
};

/// Requires: valid options.
[[nodiscard]] arena_layout make_layout(const arena_options& options, std::size_t page) noexcept;

/// What is wrong with the options, naming the value and the bound; nullopt if nothing is.
[[nodiscard]] std::optional<error> refuse_options(const arena_options& options) noexcept;

} // namespace resident::detail
