#include "os/headroom.hpp"
#include "pool/annotations.hpp"
#include "pool/pool_state.hpp"

#include <algorithm>
#include <new>

namespace resident::detail {

void raise_bad_alloc(const arena& exhausted, std::size_t bytes) {
#if defined(__cpp_exceptions)
    (void)exhausted;
    (void)bytes;
    throw std::bad_alloc();
#else
    os::raise(os::make_argument_error(exhausted.name(),
                                      "a pool has no room for %zu bytes: the longest free run of "
                                      "the arena is %zu bytes",
                                      bytes, exhausted.statistics().largest_free_run));
#endif
}

/// Gives back the blocks in the classes' lists and current slabs without blocks in use; class by
/// class, from `next` on, until there is a run of `wanted` granules. Nothing is lost by it: what a
/// block could be had from before, it can be had from after. Returns: the class to go on with,
/// should another thread get that run; the count of classes if nothing is left. Bounded: a list has
/// as many blocks as two usual slabs at most.
unsigned pool_state::give_back_from(unsigned next, std::uint32_t wanted) noexcept {
    while (next != size_classes::count) {
        class_list& list = classes[next++];
        if (list.head->next == nullptr && list.surplus_count == 0 && list.current == none)
            continue;
        const std::size_t held = held_;
        empty_list(list);
        give_back_current(list);
        if (held_ != held && runs_.largest_free_run() >= wanted)
            break;
    }
    return next;
}

void pool_state::trim() noexcept {
    give_back_from(0, none); // there is no run as long: no class is left out
    for (class_list& list : classes)
        give_back_tail(list, 0);
}

/// Once more what the arena had no room for: while the pool gives back what no block in use needs,
/// and then with the first part never used of a current slab that makes a run of `least`. No part
/// is given back in vain: blocks of it may be what another request gets.
/// Returns: what `take` does; or none.
template <typename Take>
std::uint32_t pool_state::take_when_exhausted(std::uint32_t wanted, std::uint32_t least,
                                              Take take) noexcept {
    std::uint32_t first = none;
    for (unsigned next = 0; first == none && next != size_classes::count;) {
        next = give_back_from(next, wanted);
        ++arena_visits_;
        first = take();
    }
    for (unsigned next = 0; first == none && next != size_classes::count; ++next) {
        if (give_back_tail(classes[next], least)) {
            ++arena_visits_;
            first = take();
        }
    }
    return first;
}

/// Returns: the first granule of a slab, which may be as short as can be; or none.
std::uint32_t pool_state::take_slab_when_exhausted(const slab_geometry& geometry) noexcept {
    return take_when_exhausted(geometry.frugal, geometry.least, [&]() noexcept {
        return runs_.allocate_slab(geometry.frugal, geometry.frugal, geometry.least);
    });
}

/// The same for a request that is a run by itself.
void* pool_state::take_run_when_exhausted(std::size_t bytes, std::size_t alignment) noexcept {
    if (bytes > capacity())
        return nullptr;
    const std::size_t anywhere = bytes + std::max(alignment, size_classes::granule) - 1;
    const auto wanted =
        static_cast<std::uint32_t>(std::min(anywhere, capacity()) / size_classes::granule);
    const std::uint32_t first = take_when_exhausted(wanted, wanted, [&]() noexcept {
        const void* const run = runs_.allocate(bytes, alignment);
        return run != nullptr ? first_granule_at(run) : none;
    });
    return first != none ? address(first) : nullptr;
}

/// The current slab, if none of its blocks is in use and the reserve does not need them.
void pool_state::give_back_current(class_list& list) noexcept {
    const std::uint32_t first = list.current;
    if (first == none)
        return;
    const granule_record& slab = record(first);
    if (slab.carved == slab.free && list.carved - slab.carved >= list.reserved) {
        list.current = none;
        retire(list, first, true);
    }
}

/// The granules of the current slab in which no block has begun so far, if the reserve does not
/// need them and a free run of `wanted` granules comes of it. Returns: whether.
bool pool_state::give_back_tail(class_list& list, std::uint32_t wanted) noexcept {
    const std::uint32_t first = list.current;
    if (first == none || list.carved < list.reserved)
        return false;
    granule_record& slab = record(first);
    const std::size_t size = geometry_of(list).block_size;
    const std::size_t used = slab.carved * size;
    const auto length =
        static_cast<std::uint32_t>((used + size_classes::granule - 1) / size_classes::granule);
    const std::uint32_t freed = slab.length() - length;
    if (freed == 0 || !shrink(first, length, wanted))
        return false;
    held_ -= std::size_t{freed} * size_classes::granule;
    slab.blocks = static_cast<std::uint16_t>(length * size_classes::granule / size);
    if (slab.carved == slab.blocks)
        list.current = none;
    return true;
}

/// Gives all but the first `length` granules of a slab back if that makes a run of `wanted`.
bool pool_state::shrink(std::uint32_t first, std::uint32_t length, std::uint32_t wanted) noexcept {
    std::byte* const end = address(first + length);
    const std::size_t bytes = (record(first).length() - length) * size_classes::granule;
    if (closed_)
        annotate_given_back(end, bytes);
    ++arena_visits_;
    const bool given_back = runs_.shrink(first, length, wanted);
    if (closed_ && !given_back)
        annotate_hidden(end, bytes);
    return given_back;
}

/// From the next larger class that has a block, of the `near` nearest: part of it is wasted, but
/// the request is served.
void* pool_state::borrow_block(class_list& borrower, unsigned near,
                               std::size_t alignment) noexcept {
    // What is lent to a lane comes into its list: it must do for whatever the list serves.
    std::size_t needed = std::max<std::size_t>(alignment, 1) - 1;
    if (group_ != nullptr) [[unlikely]]
        needed |= alignment_of_blocks(index_of(borrower)) - 1;
    const auto left = static_cast<unsigned>(classes.end() - &borrower) - 1;
    class_list* lender = &borrower;
    for (unsigned count = std::min(near, left); count != 0; --count) {
        ++lender;
        if ((lender->partial & lender->current) == none)
            continue;
        if (lender->reserved != 0 || (geometry_of(*lender).block_size & needed) != 0)
            continue;
        if (void* const block = take_free(*lender)) {
            note_loan(borrower);
            return block;
        }
    }
    return nullptr;
}

/// Requires: an empty list. A lane does not wait for the block's return: another may free it.
void pool_state::note_loan(class_list& list) noexcept {
    if (group_ != nullptr)
        return;
    ++list.borrowed;
    close(list);
}

void pool_state::note_return(class_list& list) noexcept {
    if (list.borrowed != 0 && --list.borrowed == 0)
        open(list);
}

void* pool_state::allocate_upstream(class_list& list, std::size_t bytes, std::size_t alignment) {
    void* block = nullptr;
#if defined(__cpp_exceptions)
    try {
        block = upstream_.allocate(bytes, alignment);
    } catch (...) {
        note_failure(bytes, alignment);
        throw;
    }
#else
    block = upstream_.allocate(bytes, alignment);
#endif
    if (block == nullptr) {
        note_failure(bytes, alignment);
        raise_bad_alloc(source_, bytes);
    }
    if (!closed_)
        note_loan(list);
    return block;
}

void* pool_state::try_allocate_upstream(class_list& list, std::size_t bytes,
                                        std::size_t alignment) noexcept {
    void* const block = upstream_.try_allocate(bytes, alignment);
    if (block == nullptr)
        note_failure(bytes, alignment);
    else if (!closed_)
        note_loan(list);
    return block;
}

void pool_state::note_failure(std::size_t bytes, std::size_t alignment) noexcept {
    ++failures_;
    if (options_.on_failure.notify != nullptr)
        options_.on_failure.notify(options_.on_failure.context, bytes, alignment, statistics());
}

} // namespace resident::detail
