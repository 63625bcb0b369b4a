#include "arena/run_allocator.hpp"

#include <algorithm>

namespace resident::detail {

run_allocator::run_allocator(granule_record* records) noexcept : records_(records) {}

void run_allocator::extend(std::size_t count) noexcept {
    const std::size_t first = size_;
    size_ += count;
    release(first, count);
}

std::uint32_t run_allocator::find(std::size_t count) const noexcept {
    // Round up to the next class, because a run of the request's own class may be too short.
    std::size_t rounded = count;
    if (count >= subclasses) {
        const unsigned top = static_cast<unsigned>(std::bit_width(count)) - 1;
        rounded += (std::size_t{1} << (top - subclass_bits)) - 1;
    }
    const size_class wanted = class_of(rounded);
    if (wanted.level < levels) {
        const std::uint32_t here = subclass_bits_[wanted.level] & (~0u << wanted.subclass);
        if (here != 0)
            return lists_[wanted.level][unsigned(std::countr_zero(here))] - 1;
        // Shifted in two steps: a shift by the width of the type would be undefined.
        const std::uint32_t above = level_bits_ & (~0u << wanted.level << 1);
        if (above != 0) {
            const auto level = static_cast<unsigned>(std::countr_zero(above));
            return lists_[level][unsigned(std::countr_zero(subclass_bits_[level]))] - 1;
        }
    }
    // The first run of the request's own class may do; insert() keeps a long one there.
    const size_class own = class_of(count);
    if (own.level >= levels)
        return none;
    const std::uint32_t run = lists_[own.level][own.subclass] - 1;
    return run != none && records_[run].length >= count ? run : none;
}

std::uint32_t run_allocator::allocate(std::size_t count, std::size_t alignment,
                                      std::size_t offset) noexcept {
    if (count == 0 || count > size_)
        return none;
    const auto skip_of = [=](std::uint32_t run) {
        const std::size_t misaligned = (run + offset) & (alignment - 1);
        return misaligned == 0 ? 0 : alignment - misaligned;
    };
    const std::uint32_t fitting = find(count);
    if (fitting == none)
        return none;
    const std::size_t skip = skip_of(fitting);
    if (skip + count <= records_[fitting].length)
        return take(fitting, skip, count);
    // Any run this long holds an aligned one. alignment > 1 here, and may be as large as it likes.
    if (alignment - 1 > size_ - count)
        return none;
    const std::uint32_t roomy = find(count + alignment - 1);
    return roomy == none ? none : take(roomy, skip_of(roomy), count);
}

std::uint32_t run_allocator::take(std::uint32_t run, std::size_t skip, std::size_t count) noexcept {
    const std::size_t length = records_[run].length;
    const std::size_t first = run + skip;
    remove(run);
    if (skip != 0)
        insert(run, skip);
    if (skip + count != length)
        insert(first + count, length - skip - count);
    mark(first, count, true);
    records_[first].begins_used_run = 1;
    in_use_ += count;
    peak_in_use_ = std::max(peak_in_use_, in_use_);
    ++runs_in_use_;
    return static_cast<std::uint32_t>(first);
}

std::size_t run_allocator::run_length(std::size_t first) const noexcept {
    return first < size_ && records_[first].begins_used_run ? records_[first].length : 0;
}

void run_allocator::deallocate(std::uint32_t first) noexcept {
    const std::size_t length = records_[first].length;
    records_[first].begins_used_run = 0;
    in_use_ -= length;
    --runs_in_use_;
    release(first, length);
}

void run_allocator::release(std::size_t first, std::size_t length) noexcept {
    const std::size_t end = first + length;
    if (end != size_ && !records_[end].in_use) {
        length += records_[end].length;
        remove(static_cast<std::uint32_t>(end));
    }
    if (first != 0 && !records_[first - 1].in_use) {
        const std::size_t before = records_[first - 1].length;
        first -= before;
        length += before;
        remove(static_cast<std::uint32_t>(first));
    }
    insert(first, length);
}

std::size_t run_allocator::largest_free_run() const noexcept {
    if (level_bits_ == 0)
        return 0;
    const auto level = static_cast<unsigned>(std::bit_width(level_bits_)) - 1;
    const auto subclass = static_cast<unsigned>(std::bit_width(subclass_bits_[level])) - 1;
    return records_[lists_[level][subclass] - 1].length;
}

void run_allocator::mark(std::size_t first, std::size_t length, bool in_use) noexcept {
    granule_record& head = records_[first];
    granule_record& tail = records_[first + length - 1];
    head.length = tail.length = static_cast<std::uint32_t>(length) & ((1u << 30) - 1);
    head.in_use = tail.in_use = in_use ? 1 : 0;
}

void run_allocator::insert(std::size_t first, std::size_t length) noexcept {
    mark(first, length, false);
    const size_class in = class_of(length);
    std::uint32_t& list = lists_[in.level][in.subclass];
    const auto run = static_cast<std::uint32_t>(first);
    granule_record& record = records_[run];
    const std::uint32_t head = list - 1;
    // A run shorter than the head goes behind it, so that the head stays fit for find()'s last
    // resort and for largest_free_run().
    if (head != none && records_[head].length > length) {
        record.previous = head;
        record.next = records_[head].next;
        if (record.next != none)
            records_[record.next].previous = run;
        records_[head].next = run;
        return;
    }
    record.previous = none;
    record.next = head;
    if (head != none)
        records_[head].previous = run;
    list = run + 1;
    subclass_bits_[in.level] |= 1u << in.subclass;
    level_bits_ |= 1u << in.level;
}

void run_allocator::remove(std::uint32_t first) noexcept {
    const granule_record& record = records_[first];
    if (record.next != none)
        records_[record.next].previous = record.previous;
    if (record.previous != none) {
        records_[record.previous].next = record.next;
        return;
    }
    const size_class in = class_of(record.length);
    lists_[in.level][in.subclass] = record.next + 1;
    if (record.next != none)
        return;
    subclass_bits_[in.level] &= ~(1u << in.subclass);
    if (subclass_bits_[in.level] == 0)
        level_bits_ &= ~(1u << in.level);
}

} // namespace resident::detail
