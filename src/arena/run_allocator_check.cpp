#include "arena/run_allocator.hpp"

namespace resident::detail {

// Walks by what it finds, so it trusts nothing: every index is bounded before it is followed.

const char* run_allocator::check() const noexcept {
    if (size_ == 0)
        return nullptr; // zeroed memory, perhaps: without the marks beyond the ends
    std::uint32_t free_runs = 0;
    if (const char* broken = check_runs(free_runs))
        return broken;
    return check_lists(free_runs);
}

const char* run_allocator::check_runs(std::uint32_t& free_runs) const noexcept {
    std::uint32_t in_use = 0;
    std::uint32_t runs_in_use = 0;
    const std::uint32_t end = lists_ + size_;
    bool previous_is_free = false;
    for (std::uint32_t slot = lists_; slot < end;) {
        const granule_record& first = at(slot);
        const std::uint32_t length = first.length();
        if (length == 0)
            return "a run has length 0";
        if (length > end - slot)
            return "a run reaches beyond the arena";
        const granule_record& last = at(slot + length - 1);
        if (last.length() != length)
            return "the ends of a run disagree on its length";
        if (last.is_free() != first.is_free())
            return "the ends of a run disagree on its use";
        if (((first.state & granule_record::begins_used_run) != 0) == first.is_free())
            return "a run's begin mark disagrees with its use";
        for (std::uint32_t inner = slot + 1; inner < slot + length; ++inner)
            if ((at(inner).state & granule_record::begins_used_run) != 0)
                return "a begin mark lies inside a run";
        if (!first.is_free()) {
            in_use += length;
            ++runs_in_use;
        } else {
            if (previous_is_free)
                return "two free runs are neighbours";
            ++free_runs;
        }
        previous_is_free = first.is_free();
        slot += length;
    }
    if (at(lists_ - 1).is_free() || at(end).is_free())
        return "a mark beyond the ends is missing";
    if (in_use != in_use_)
        return "the count of granules in use is wrong";
    if (runs_in_use != runs_in_use_)
        return "the count of runs in use is wrong";
    if (peak_in_use_ > size_)
        return "the peak is out of range";
    return nullptr;
}

const char* run_allocator::check_lists(std::uint32_t free_runs) const noexcept {
    std::uint32_t left = free_runs;
    for (std::uint32_t list = 0; list < lists_; ++list)
        if (const char* broken = check_list(list, left))
            return broken;
    for (std::uint32_t word = 0; word < 32; ++word) {
        const bool bit = (word_bits_ >> word & 1U) != 0;
        if (bit != (word < words && class_bits_[word] != 0))
            return "a word bit is wrong";
    }
    for (std::uint32_t list = lists_; list < words * 64; ++list)
        if ((class_bits_[list / 64] >> (list % 64) & 1U) != 0)
            return "a class bit beyond the last is set";
    return left == 0 ? nullptr : "a free run is in no list";
}

const char* run_allocator::check_list(std::uint32_t list, std::uint32_t& left) const noexcept {
    const bool bit = (class_bits_[list / 64] >> (list % 64) & 1U) != 0;
    if (bit != (at(list).next != list))
        return "a class bit is wrong";
    std::uint32_t previous = list;
    for (std::uint32_t slot = at(list).next; slot != list; slot = at(slot).next) {
        if (slot < lists_ || slot >= lists_ + size_)
            return "a list leads out of the arena";
        const granule_record& record = at(slot);
        if (!record.is_free())
            return "a run in use is in a free list";
        if (record.length() == 0 || class_of(record.length()) != list)
            return "a free run is in the list of another class";
        if (record.previous != previous)
            return "a back link is wrong";
        if (left-- == 0)
            return "the free lists hold more than the free runs";
        previous = slot;
    }
    return at(list).previous == previous ? nullptr : "a back link is wrong";
}

} // namespace resident::detail
