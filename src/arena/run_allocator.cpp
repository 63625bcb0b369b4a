#include "arena/run_allocator.hpp"

namespace resident::detail {

run_allocator::run_allocator(std::uint32_t max_size) noexcept
    : granules_(first_granule_for(max_size)) {
    for (std::uint32_t list = 0; head_of(list) < granules_ - record_units; ++list) {
        const auto self = static_cast<std::uint32_t>(head_of(list));
        at(self) = {.state = 1U << (list % subclasses), .next = self, .previous = self};
    }
    at(granules_ - record_units).state = run_links::in_use;
    at(granules_).state = run_links::in_use;
}

void run_allocator::extend(std::uint32_t count) noexcept {
    const link end = granule_link(size_);
    size_ += count;
    at(granule_link(size_)).state = run_links::in_use;
    release(end, count);
}

std::uint32_t run_allocator::find_in_own_class(std::uint32_t count) const noexcept {
    if (count - 1 >= size_) // in zeroed memory, always
        return 0;
    const std::uint32_t own = class_of(count);
    const link first = at(head_of(own)).next;
    return first != head_of(own) && at(first).state >= count ? own : 0;
}

std::uint32_t run_allocator::find(std::uint32_t count) const noexcept {
    const std::uint32_t list = find_fitting(count);
    return list != 0 ? list : find_in_own_class(count);
}

std::uint32_t run_allocator::allocate(std::uint32_t count) noexcept {
    if (count - 1 >= size_)
        return none;
    const std::uint32_t list = find(count);
    return list == 0 ? none : take_first(list, count);
}

std::uint32_t run_allocator::allocate_aligned(std::uint32_t count, std::size_t alignment,
                                              std::size_t offset) noexcept {
    if (count - 1 >= size_)
        return none;
    const auto skip_of = [=, this](link run) {
        const std::size_t misaligned = (granule_at(run) + offset) & (alignment - 1);
        return misaligned == 0 ? 0 : alignment - misaligned;
    };
    std::uint32_t list = find(count);
    if (list == 0)
        return none;
    link run = at(head_of(list)).next;
    std::size_t skip = skip_of(run);
    if (skip + count > at(run).state) {
        // Any run this long holds an aligned one. alignment > 1 here, and may be as large as it
        // likes.
        if (alignment - 1 > size_ - count)
            return none;
        list = find(count + static_cast<std::uint32_t>(alignment) - 1);
        if (list == 0)
            return none;
        run = at(head_of(list)).next;
        skip = skip_of(run);
    }
    return take_behind(run, static_cast<std::uint32_t>(skip), count);
}

std::uint32_t run_allocator::take_behind(link run, std::uint32_t skip,
                                         std::uint32_t count) noexcept {
    const std::uint32_t rest = at(run).state - skip - count;
    unlink(run);
    if (skip != 0)
        insert(run, skip);
    run += record_units * skip;
    if (rest != 0)
        insert(run + record_units * count, rest);
    mark_used(run, count);
    note_use(count);
    return granule_at(run);
}

std::uint32_t run_allocator::find_owned(std::uint16_t owner, std::uint32_t from) const noexcept {
    while (from < size_) {
        const granule_record& run = record(from);
        if (!run.is_free() && run.owner == owner)
            return from;
        from += run.length();
    }
    return none;
}

std::uint32_t run_allocator::largest_free_run() const noexcept {
    if (word_bits_ == 0)
        return 0;
    const auto word = static_cast<std::uint32_t>(std::bit_width(word_bits_)) - 1;
    const auto bit = static_cast<std::uint32_t>(std::bit_width(class_bits_[word])) - 1;
    // No run that find_fitting() or find_in_own_class() would not come upon.
    return at(at(head_of(word * subclasses + bit)).next).state;
}

} // namespace resident::detail
