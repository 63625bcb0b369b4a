#include "arena/run_allocator.hpp"

namespace resident::detail {

// Walks by what it finds, so it trusts nothing: every index is bounded before it is followed.

const char* run_allocator::check() const noexcept {
    std::size_t free_runs = 0;
    if (const char* broken = check_runs(free_runs))
        return broken;
    return check_lists(free_runs);
}

const char* run_allocator::check_runs(std::size_t& free_runs) const noexcept {
    std::size_t in_use = 0;
    std::size_t runs_in_use = 0;
    bool previous_is_free = false;
    for (std::size_t first = 0; first < size_; first += records_[first].length) {
        const granule_record& head = records_[first];
        if (head.length == 0)
            return "a run has length 0";
        if (head.length > size_ - first)
            return "a run reaches beyond the arena";
        const granule_record& tail = records_[first + head.length - 1];
        if (tail.length != head.length)
            return "the ends of a run disagree on its length";
        if (tail.in_use != head.in_use)
            return "the ends of a run disagree on its use";
        if (head.begins_used_run != head.in_use)
            return "a run's begin mark disagrees with its use";
        for (std::size_t inner = first + 1; inner < first + head.length; ++inner)
            if (records_[inner].begins_used_run)
                return "a begin mark lies inside a run";
        if (head.in_use) {
            in_use += head.length;
            ++runs_in_use;
        } else {
            if (previous_is_free)
                return "two free runs are neighbours";
            ++free_runs;
        }
        previous_is_free = !head.in_use;
    }
    if (in_use != in_use_)
        return "the count of granules in use is wrong";
    if (runs_in_use != runs_in_use_)
        return "the count of runs in use is wrong";
    if (peak_in_use_ < in_use_ || peak_in_use_ > size_)
        return "the peak is out of range";
    return nullptr;
}

const char* run_allocator::check_lists(std::size_t free_runs) const noexcept {
    std::size_t listed = 0;
    for (unsigned level = 0; level < levels; ++level) {
        const bool level_bit = (level_bits_ >> level & 1u) != 0;
        if (level_bit != (subclass_bits_[level] != 0))
            return "a level bit is wrong";
        for (unsigned subclass = 0; subclass < subclasses; ++subclass) {
            const bool bit = (subclass_bits_[level] >> subclass & 1u) != 0;
            if (bit != (lists_[level][subclass] != 0))
                return "a subclass bit is wrong";
            std::uint32_t previous = none;
            for (std::uint32_t run = lists_[level][subclass] - 1; run != none;
                 run = records_[run].next) {
                if (run >= size_)
                    return "a list leads out of the arena";
                const granule_record& record = records_[run];
                const size_class in = class_of(record.length);
                if (record.in_use)
                    return "a run in use is in a free list";
                if (in.level != level || in.subclass != subclass)
                    return "a free run is in the list of another class";
                if (record.previous != previous)
                    return "a back link is wrong";
                if (++listed > free_runs)
                    return "the free lists hold more than the free runs";
                previous = run;
            }
        }
    }
    if ((level_bits_ >> (levels - 1)) > 1u)
        return "a level bit beyond the last is set";
    return listed == free_runs ? nullptr : "a free run is in no list";
}

} // namespace resident::detail
