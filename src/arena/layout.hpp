/// How large the parts of an arena are. Arithmetic only.
#pragma once

#include "arena/granule.hpp"
#include "arena/run_allocator.hpp"
#include "resident/arena.hpp"

#include <cstddef>
#include <optional>

namespace resident::detail {

/// Chunks are populated, and the arena grows, in steps of this: longer steps make threads that
/// call mmap wait longer (measured: 10 ms behind 2 MiB steps, 42 ms behind 64 MiB).
inline constexpr std::size_t step_size = 2_MiB;

/// value rounded up to a multiple of unit, a power of two. The behavior is undefined on overflow.
constexpr std::size_t round_up(std::size_t value, std::size_t unit) noexcept {
    return (value + unit - 1) & ~(unit - 1);
}

/// Bytes a page of the administrator's reserved huge pages; 0 for the kinds that use base pages.
constexpr std::size_t reserved_huge_page_size(page_kind kind) noexcept {
    return kind == page_kind::huge_2M ? 2_MiB : kind == page_kind::huge_1G ? 1_GiB : 0;
}

/// What the addresses and the growth of an arena's data are multiples of: 2 MiB even for base
/// pages, because transparent huge pages need it.
constexpr std::size_t data_unit(page_kind kind) noexcept {
    const std::size_t huge = reserved_huge_page_size(kind);
    return huge > step_size ? huge : step_size;
}

/// Bytes of bookkeeping that must be resident for `capacity` bytes of data that may grow to
/// `max_capacity` (if that is more), in whole base pages.
[[nodiscard]] std::size_t bookkeeping_for(std::size_t capacity, std::size_t max_capacity) noexcept;

/// What is wrong with the options, naming the value and the bound; nullopt if nothing is.
[[nodiscard]] std::optional<error> refuse_options(const arena_options& options) noexcept;

} // namespace resident::detail
