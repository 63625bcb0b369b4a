/// An inaccessible range of addresses that belongs to this process.
#pragma once

#include "os/kernel.hpp"

#include <cstddef>
#include <utility>

namespace resident::detail {

/// What to reserve; all in bytes, multiples of the page.
struct reservation_plan {
    std::size_t size = 0;           ///< that can be made accessible
    std::size_t guard = 0;          ///< inaccessible for ever, before and behind: a page
    std::size_t alignment = 0;      ///< of begin(); a power of two
    std::size_t huge_page_size = 0; ///< of reserved huge pages; 0: base pages
};

/// Owns a range of addresses; unmaps it, with all that has been made of it, when destroyed.
///
///     mapped              begin()
///     [ slack ][ guard ][ size ...         ][ guard ][ slack ]
///
/// The slack is what aligning takes, and stays: addresses cost nothing, and the munmap that trims
/// them can fail.
class reservation {
public:
    reservation() noexcept = default;
    reservation(reservation&& other) noexcept { swap(other); }
    reservation& operator=(reservation&& other) noexcept {
        reservation(std::move(other)).swap(*this);
        return *this;
    }
    ~reservation();

    /// Effects: reserves as planned. Charged to no limit, also under MCL_FUTURE; of reserved huge
    /// pages none is taken yet.
    /// Fails if and only if the kernel has no such range.
    static os::outcome make(const reservation_plan& plan, reservation& made) noexcept;

    [[nodiscard]] std::byte* begin() const noexcept { return begin_; }

private:
    reservation(std::byte* mapped, std::size_t mapped_size, std::byte* begin) noexcept
        : mapped_(mapped), mapped_size_(mapped_size), begin_(begin) {}
    void swap(reservation& other) noexcept {
        std::swap(mapped_, other.mapped_);
        std::swap(mapped_size_, other.mapped_size_);
        std::swap(begin_, other.begin_);
    }
    /// One mmap, longer by the alignment.
    static os::outcome make_at_once(const reservation_plan& plan, reservation& made) noexcept;
    /// Many small mmaps, side by side, each taken off the memlock account before the next.
    static os::outcome make_in_steps(const reservation_plan& plan, reservation& made) noexcept;
    /// EEXIST if and only if something is in the way.
    os::outcome extend_in_steps(std::size_t size) noexcept;

    std::byte* mapped_ = nullptr;
    std::size_t mapped_size_ = 0;
    std::byte* begin_ = nullptr;
};

} // namespace resident::detail
