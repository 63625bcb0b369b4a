/// An inaccessible range of addresses that belongs to this process.
#pragma once

#include "os/kernel.hpp"

#include <cstddef>
#include <utility>

namespace resident::detail {

/// Owns a range of addresses; unmaps it, with all that has been mapped into it, when destroyed.
class reservation {
public:
    reservation() noexcept = default;
    reservation(reservation&& other) noexcept { swap(other); }
    reservation& operator=(reservation&& other) noexcept {
        reservation(std::move(other)).swap(*this);
        return *this;
    }
    ~reservation();

    /// Effects: reserves `bytes` from begin() on such that begin() + `offset` is a multiple of
    /// `alignment` (a power of two; all are multiples of the page), and at most `alignment` more
    /// around them. Charged to no limit, also under MCL_FUTURE.
    /// Fails if and only if the kernel has no such range.
    static os::outcome make(std::size_t bytes, std::size_t offset, std::size_t alignment,
                            reservation& made) noexcept;

    [[nodiscard]] std::byte* begin() const noexcept { return begin_; }

private:
    reservation(std::byte* mapped, std::size_t size, std::byte* begin) noexcept
        : mapped_(mapped), size_(size), begin_(begin) {}
    void swap(reservation& other) noexcept {
        std::swap(mapped_, other.mapped_);
        std::swap(size_, other.size_);
        std::swap(begin_, other.begin_);
    }
    /// One mmap, longer by the alignment. What is too much stays as it is: addresses cost nothing,
    /// and a munmap that trims can fail.
    static os::outcome make_at_once(std::size_t bytes, std::size_t offset, std::size_t alignment,
                                    reservation& made) noexcept;
    /// Many small mmaps, side by side, each taken off the memlock account before the next.
    static os::outcome make_in_steps(std::size_t bytes, std::size_t offset, std::size_t alignment,
                                     reservation& made) noexcept;
    /// EEXIST if and only if something is in the way.
    os::outcome extend_in_steps(std::size_t bytes) noexcept;

    std::byte* mapped_ = nullptr;
    std::size_t size_ = 0;
    std::byte* begin_ = nullptr;
};

} // namespace resident::detail
