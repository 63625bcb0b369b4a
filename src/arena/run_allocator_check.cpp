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
    bool previous_is_free = false;
    for (std::uint32_t granule = 0; granule < size_;) {
        const run_links& first = at(granule_link(granule));
        const std::uint32_t length = first.length();
        if (length == 0)
            return "a run has length 0";
        if (length > size_ - granule)
            return "a run reaches beyond the arena";
        const run_links& last = at(granule_link(granule + length - 1));
        if (last.is_free() != first.is_free())
            return "the ends of a run disagree on its use";
        if (last.is_free() && last.state != length)
            return "the ends of a free run disagree on its length";
        if (((first.state & run_links::begins_used_run) != 0) == first.is_free())
            return "a run's begin mark disagrees with its use";
        for (std::uint32_t inner = 1; inner < length; ++inner)
            if ((at(granule_link(granule + inner)).state & run_links::begins_used_run) != 0)
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
        granule += length;
    }
    if (at(granules_ - record_units).is_free() || at(granule_link(size_)).is_free())
        return "a mark beyond the ends is missing";
    if (in_use != in_use_.load(std::memory_order_relaxed))
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
    for (std::uint32_t word = 0; word < words; ++word) {
        if ((word_bits_ >> word & 1U) != (class_bits_[word] != 0 ? 1U : 0U))
            return "a word bit is wrong";
    }
    for (std::uint32_t list = lists_; list < words * lists_a_word; ++list)
        if ((class_bits_[list / lists_a_word] >> (list % lists_a_word) & 1U) != 0)
            return "a class bit beyond the last is set";
    return left == 0 ? nullptr : "a free run is in no list";
}

const char* run_allocator::check_list(std::uint32_t list, std::uint32_t& left) const noexcept {
    const link head = run_classes::head_of(list);
    const std::uint32_t bit = 1U << (list % lists_a_word);
    if (at(head).state != bit)
        return "a list's bit is wrong";
    if (((class_bits_[list / lists_a_word] & bit) != 0) != (at(head).next != head))
        return "a class bit is wrong";
    link previous = head;
    for (link run = at(head).next; run != head; run = at(run).next) {
        if (run < granules_ || run >= granule_link(size_) || (run - granules_) % record_units != 0)
            return "a list leads out of the arena";
        const run_links& links = at(run);
        if (!links.is_free())
            return "a run in use is in a free list";
        if (links.length() == 0 || run_classes::class_of(links.length()) != list)
            return "a free run is in the list of another class";
        if (links.previous != previous)
            return "a back link is wrong";
        if (left-- == 0)
            return "the free lists hold more than the free runs";
        previous = run;
    }
    return at(head).previous == previous ? nullptr : "a back link is wrong";
}

} // namespace resident::detail
