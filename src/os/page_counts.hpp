/// Owners per page, as sorted ranges in memory of their own.
#pragma once

#include "os/kernel.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace resident::os {

/// Neighbouring pages that have equally many owners.
struct counted_range {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    std::size_t owners = 0;
    bool locked_before = false; ///< by others, when the count left 0
};

/// The counts in force, and a draft of the next ones. A change is drafted completely, acted upon,
/// and then committed or forgotten: what fails half way needs no undoing here.
///
///     in force  [0x1000 0x3000) 1              [0x5000 0x6000) 2
///     change              [0x2000         0x6000) one owner more
///     draft     [.. 0x2000) 1 [.. 0x3000) 2 [.. 0x5000) 1 [.. 0x6000) 3
///
/// Neither memory nor a destructor until the first reserve(): a constant of the program image.
/// Not thread safe.
class page_counts {
public:
    constexpr page_counts() noexcept = default;
    page_counts(const page_counts&) = delete;
    page_counts& operator=(const page_counts&) = delete;

    /// The counts in force: sorted, apart, no two neighbours alike, none with 0 owners.
    [[nodiscard]] std::span<const counted_range> ranges() const noexcept {
        return {in_force_, count_};
    }
    /// The draft, likewise.
    [[nodiscard]] std::span<const counted_range> draft() const noexcept {
        return {draft_, draft_count_};
    }

    /// Effects: makes room for `ranges` ranges. Forgets the draft if it must move.
    /// Fails if and only if the kernel gives no memory; then nothing has changed.
    outcome reserve(std::size_t ranges) noexcept;
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

    /// Effects: starts a draft, empty, at address 0.
    void begin_draft() noexcept;
    /// Effects: drafts the pages from where the draft ends up to `end`, with `change` (-1, 0 or 1)
    /// added to their owners; pages that get their first owner are marked with `locked_before`.
    void draft_until(std::uintptr_t end, int change, bool locked_before = false) noexcept;
    /// Effects: drafts all that is left, unchanged.
    /// Returns: whether the draft fitted; if not, reserve twice as much and start again.
    [[nodiscard]] bool finish_draft() noexcept;
    /// Effects: puts the draft in force.
    void commit() noexcept;

    /// Effects: forgets that any page was locked before by others.
    void forget_marks() noexcept;
    /// Effects: forgets every count. Keeps the memory.
    void clear() noexcept;

private:
    void append(const counted_range& range) noexcept;

    counted_range* in_force_ = nullptr; // capacity_ ranges, and the draft as many after them
    counted_range* draft_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t count_ = 0;
    std::size_t draft_count_ = 0;
    std::uintptr_t drafted_ = 0; // the draft reaches up to here
    std::size_t next_ = 0;       // first range in force that the draft has not passed
    bool fits_ = true;
};

} // namespace resident::os
