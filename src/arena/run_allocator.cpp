#include "arena/run_allocator.hpp"

namespace resident::detail {

run_allocator::run_allocator(std::uint32_t max_size) noexcept
    : lists_(run_classes::class_of(max_size) + 1), granules_(first_granule_for(lists_)) {
    for (std::uint32_t list = 0; list < lists_; ++list) {
        const auto self = static_cast<std::uint32_t>(run_classes::head_of(list));
        at(self) = {.state = 1U << (list % lists_a_word), .next = self, .previous = self};
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

run_allocator::link run_allocator::find_in_own_class(std::uint32_t count) const noexcept {
    if (count - 1 >= size_) // in zeroed memory, always
        return 0;
    const link own = run_classes::head_for(count);
    const link first = at(own).next;
    return first != own && at(first).state >= count ? own : 0;
}

run_allocator::link run_allocator::find(std::uint32_t count) const noexcept {
    const link head = find_fitting(count);
    return head != 0 ? head : find_in_own_class(count);
}

std::uint32_t run_allocator::allocate(std::uint32_t count) noexcept {
    if (count - 1 >= size_)
        return none;
    const link head = find(count);
    return head == 0 ? none : take_first(head, count);
}

std::uint32_t run_allocator::take_behind(link run, std::uint32_t skip,
                                         std::uint32_t count) noexcept {
    const std::uint32_t rest = at(run).state - skip - count;
    unlink(run);
    const link first = run + record_units * skip;
    const link behind = first + record_units * count;
    if (skip != 0) {
        mark_free(run, skip);
        insert(run, run_classes::head_for(skip));
    }
    if (rest != 0) {
        mark_free(behind, rest);
        insert(behind, run_classes::head_for(rest));
    }
    mark_used(first, count);
    note_use(count);
    return granule_at(first);
}

std::uint32_t run_allocator::allocate_aligned(std::uint32_t count, std::size_t alignment,
                                              std::size_t offset) noexcept {
    if (count - 1 >= size_)
        return none;
    const auto skip_of = [=, this](link run) {
        return (0 - (granule_at(run) + offset)) & (alignment - 1);
    };
    link head = find(count);
    if (head == 0)
        return none;
    link run = at(head).next;
    std::size_t skip = skip_of(run);
    if (skip + count > at(run).state) {
        // Any run this long holds an aligned one. alignment > 1 here, and may be as large as it
        // likes.
        if (alignment - 1 > size_ - count)
            return none;
        head = find(count + static_cast<std::uint32_t>(alignment) - 1);
        if (head == 0)
            return none;
        run = at(head).next;
        skip = skip_of(run);
    }
    return take_behind(run, static_cast<std::uint32_t>(skip), count);
}

void run_allocator::split(std::uint32_t first, std::uint32_t count) noexcept {
    const link run = granule_link(first);
    const std::uint32_t rest = at(run).length() - count;
    mark_used(run, count);
    mark_used(run + record_units * count, rest);
    ++runs_in_use_;
}

void run_allocator::join_next(std::uint32_t first) noexcept {
    const link run = granule_link(first);
    const std::uint32_t length = at(run).length();
    run_links& next = at(run + record_units * length);
    const std::uint32_t both = length + next.length();
    next.state = run_links::in_use; // inside a run from now on, where nothing begins
    mark_used(run, both);
    --runs_in_use_;
}

std::uint32_t run_allocator::find_owned(std::uint16_t owner, std::uint32_t from) const noexcept {
    while (from < size_) {
        const granule_record& run = record(from);
        if (!run.is_free() && run.owner_now() == owner)
            return from;
        from += run.length();
    }
    return none;
}

run_allocator::link run_allocator::find_longest() const noexcept {
    if (word_bits_ == 0)
        return 0;
    const auto word = static_cast<std::uint32_t>(std::bit_width(word_bits_)) - 1;
    const auto bit = static_cast<std::uint32_t>(std::bit_width(class_bits_[word])) - 1;
    return run_classes::head_of(word * lists_a_word + bit);
}

std::uint32_t run_allocator::largest_free_run() const noexcept {
    // No run that find_fitting() or find_in_own_class() would not come upon.
    const link head = find_longest();
    return head == 0 ? 0 : at(at(head).next).state;
}

std::uint32_t run_allocator::allocate_longest(std::uint32_t most, std::uint32_t least) noexcept {
    const link head = find_longest();
    if (head == 0)
        return none;
    const std::uint32_t length = at(at(head).next).state;
    return length < least ? none : take_first(head, std::min(length, most));
}

} // namespace resident::detail
