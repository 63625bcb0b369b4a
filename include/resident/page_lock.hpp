/// resident::page_lock: locks any range, counted per page, so that locks stack.
#pragma once

#include "resident/result.hpp"

#include <cstddef>
#include <span>
#include <utility>

namespace resident {

/// Keeps the pages of a range locked while it lives.
///
/// The kernel's locks do not stack: one munlock undoes any number of mlocks, also for the
/// neighbours in the same page. These do: a process-wide count per page keeps a page locked until
/// the last page_lock on it is gone, in any order. A page that was locked already by other means
/// (an arena, mlockall) when its first page_lock came stays locked after its last one.
///
///     object A       [.......aaaa][aaaaa......]             pages  0  1  2
///     object B                    [......bbbbb][bb.......]  A      1  1  0
///                                                           B      0  1  1
///     count per page       1            2           1       sum    1  2  1
///
/// A forked child inherits no lock from the kernel; there, `locked()` is false and destroying it
/// does nothing. Threads: any, at any time, different objects at once. Not real-time safe.
class page_lock {
public:
    /// Locks nothing.
    page_lock() noexcept = default;

    /// Effects: locks and populates every page that [address, address + bytes) touches.
    /// Throws: `resident::error` if and only if that fails, with nothing changed: the range is
    /// unmapped in part, the memlock limit or a cgroup is too small. 0 bytes lock nothing.
    /// In a build without exceptions: prints the error and aborts.
    page_lock(const void* address, std::size_t bytes);

    /// The elements of a contiguous container: a lookup table, a ring buffer.
    template <class T, std::size_t Extent>
    explicit page_lock(std::span<T, Extent> elements)
        : page_lock(elements.data(), elements.size_bytes()) {}

    /// The same, without throwing.
    static result<page_lock> create(const void* address, std::size_t bytes);

    page_lock(page_lock&& other) noexcept { swap(other); }
    page_lock& operator=(page_lock&& other) noexcept {
        page_lock(std::move(other)).swap(*this);
        return *this;
    }
    page_lock(const page_lock&) = delete;
    page_lock& operator=(const page_lock&) = delete;

    /// Effects: uncounts its pages and unlocks those whose count falls to 0.
    ~page_lock();

    void swap(page_lock& other) noexcept;

    /// Whether this object holds a lock in this process.
    [[nodiscard]] bool locked() const noexcept;
    /// First byte of the first page held; null if none.
    [[nodiscard]] const void* address() const noexcept { return begin_; }
    /// Bytes held, in whole pages.
    [[nodiscard]] std::size_t size() const noexcept { return bytes_; }

private:
    const void* begin_ = nullptr;
    std::size_t bytes_ = 0;
    std::size_t generation_ = 0; ///< which process, counted in forks, took the lock
};

} // namespace resident
