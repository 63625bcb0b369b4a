#include "arena/run_allocator.hpp"

namespace resident::detail {

run_allocator::run_allocator(std::uint32_t max_size) noexcept : lists_(class_of(max_size) + 1) {
    for (std::uint32_t list = 0; list < lists_; ++list)
        at(list) = {.state = granule_record::in_use, .next = list, .previous = list};
    at(lists_).state = granule_record::in_use;
}

void run_allocator::extend(std::uint32_t count) noexcept {
    const std::uint32_t slot = lists_ + size_;
    size_ += count;
    at(slot + count).state = granule_record::in_use;
    release(slot, count);
}

std::uint32_t run_allocator::find_in_own_class(std::uint32_t count) const noexcept {
    const std::uint32_t own = class_of(count);
    // Of an empty list the head itself comes up, in use, which is not to be taken for a length.
    const granule_record& first = at(at(own).next);
    return first.is_free() && first.state >= count ? own : 0;
}

std::uint32_t run_allocator::allocate_aligned(std::uint32_t count, std::size_t alignment,
                                              std::size_t offset) noexcept {
    if (count - 1 >= size_)
        return none;
    const auto skip_of = [=, this](std::uint32_t slot) {
        const std::size_t misaligned = (slot - lists_ + offset) & (alignment - 1);
        return misaligned == 0 ? 0 : alignment - misaligned;
    };
    std::uint32_t list = find(count);
    if (list == 0)
        return none;
    std::uint32_t slot = at(list).next;
    std::size_t skip = skip_of(slot);
    if (skip + count > at(slot).state) {
        // Any run this long holds an aligned one. alignment > 1 here, and may be as large as it
        // likes.
        if (alignment - 1 > size_ - count)
            return none;
        list = find(count + static_cast<std::uint32_t>(alignment) - 1);
        if (list == 0)
            return none;
        slot = at(list).next;
        skip = skip_of(slot);
    }
    return take_behind(slot, static_cast<std::uint32_t>(skip), count) - lists_;
}

std::uint32_t run_allocator::take_behind(std::uint32_t slot, std::uint32_t skip,
                                         std::uint32_t count) noexcept {
    const std::uint32_t rest = at(slot).state - skip - count;
    unlink(slot);
    if (skip != 0)
        insert(slot, skip);
    if (rest != 0)
        insert(slot + skip + count, rest);
    mark_used(slot + skip, count);
    in_use_ += count;
    ++runs_in_use_;
    return slot + skip;
}

std::uint32_t run_allocator::largest_free_run() const noexcept {
    if (word_bits_ == 0)
        return 0;
    const auto word = static_cast<std::uint32_t>(std::bit_width(word_bits_)) - 1;
    const auto list = word * 64 + static_cast<std::uint32_t>(std::bit_width(class_bits_[word])) - 1;
    // No run that find() or find_in_own_class() would not come upon.
    return at(at(list).next).state;
}

} // namespace resident::detail
