#include "os/page_counts.hpp"

#include "os/kernel_constants.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>

namespace resident::os {

outcome page_counts::reserve(std::size_t ranges) noexcept {
    if (ranges <= capacity_)
        return outcome::success();
    const std::size_t page = page_size();
    std::size_t bytes = std::max(2 * page, 4 * capacity_ * sizeof(counted_range));
    while (bytes / 2 / sizeof(counted_range) < ranges) {
        if (bytes > std::numeric_limits<std::size_t>::max() / 2)
            return outcome::failure(ENOMEM);
        bytes *= 2;
    }
    const outcome mapped = system().map(nullptr, bytes, read_write, private_memory_flags);
    if (!mapped)
        return mapped;
    auto* const memory = reinterpret_cast<counted_range*>(mapped.value());
    std::copy_n(in_force_, count_, memory);
    if (capacity_ != 0) {
        void* const former = std::min(in_force_, draft_);
        (void)system().unmap(former, 2 * capacity_ * sizeof(counted_range));
    }
    capacity_ = bytes / 2 / sizeof(counted_range);
    in_force_ = memory;
    draft_ = memory + capacity_;
    begin_draft();
    return outcome::success();
}

void page_counts::begin_draft() noexcept {
    draft_count_ = 0;
    drafted_ = 0;
    next_ = 0;
    fits_ = true;
}

void page_counts::draft_until(std::uintptr_t end, int change, bool locked_before) noexcept {
    while (drafted_ < end) {
        while (next_ < count_ && in_force_[next_].end <= drafted_)
            ++next_;
        counted_range piece{drafted_, end, 0, locked_before};
        if (next_ < count_) {
            const counted_range& met = in_force_[next_];
            if (met.begin <= drafted_) {
                piece = {drafted_, std::min(end, met.end), met.owners, met.locked_before};
            } else {
                piece.end = std::min(end, met.begin);
            }
        }
        if (change > 0)
            ++piece.owners;
        if (change < 0 && piece.owners != 0)
            --piece.owners;
        if (piece.owners != 0)
            append(piece);
        drafted_ = piece.end;
    }
}

bool page_counts::finish_draft() noexcept {
    draft_until(std::numeric_limits<std::uintptr_t>::max(), 0);
    return fits_;
}

void page_counts::commit() noexcept {
    std::swap(in_force_, draft_);
    count_ = draft_count_;
    draft_count_ = 0;
}

void page_counts::forget_marks() noexcept {
    begin_draft();
    for (std::size_t index = 0; index < count_; ++index) {
        counted_range range = in_force_[index];
        range.locked_before = false;
        append(range); // fits: neighbours that differed by their mark alone become one
    }
    commit();
}

void page_counts::clear() noexcept {
    count_ = 0;
    begin_draft();
}

void page_counts::append(const counted_range& range) noexcept {
    if (draft_count_ != 0) {
        counted_range& last = draft_[draft_count_ - 1];
        if (last.end == range.begin && last.owners == range.owners &&
            last.locked_before == range.locked_before) {
            last.end = range.end;
            return;
        }
    }
    if (draft_count_ == capacity_) {
        fits_ = false;
        return;
    }
    draft_[draft_count_++] = range;
}

} // namespace resident::os
