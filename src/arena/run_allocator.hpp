/// Segregated fit over granules in constant time, with all bookkeeping out of band.
#pragma once

#include "arena/granule_record.hpp"
#include "arena/run_classes.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace resident::detail {

/// Hands out runs of granules, by index; knows nothing of addresses but their alignment.
///
/// Free runs of about one length, a class, are in a circular list. The lists' heads lie before the
/// granules in one table, so that no link needs a case of its own. A granule lies beyond either
/// end, in use for ever, so that no merge does.
///
///     table   [list heads][in use][granules, size() of them][in use]    behind the allocator
///     link     0, 2, 4 ...         granules_, + 3, + 6 ...              in units of 8 bytes
///
/// Invariants: runs tile [0, size()); no two neighbours are both free; every free run is in the
/// list of its class; a bit is set if and only if its list is not empty. check() validates them.
///
/// Not thread safe: run_source holds a mutex. No function loops but over a constant number of
/// steps, the constructor and check() excepted. Zeroed memory is a valid allocator of no granules.
class run_allocator {
public:
    static constexpr std::uint32_t none = ~std::uint32_t{0};
    /// Granules that can be managed: what a length can hold.
    static constexpr std::uint32_t max_granules = run_classes::max_length;

    /// Bytes of the allocator and its table for `size` granules, when it may grow to `max_size`.
    [[nodiscard]] static constexpr std::size_t storage_for(std::size_t size,
                                                           std::size_t max_size) noexcept;

    /// Requires: storage_for(0, max_size) bytes from here on, and storage_for(size(), max_size)
    /// when granules are added. Complexity: linear in the number of classes.
    explicit run_allocator(std::uint32_t max_size) noexcept;
    run_allocator(const run_allocator&) = delete;
    run_allocator& operator=(const run_allocator&) = delete;

    /// Effects: appends `count` free granules, merged with a free run at the end.
    /// The behavior is undefined unless 0 < count and size() + count <= max_size.
    void extend(std::uint32_t count) noexcept;

    /// Returns: the first granule of a run of `count`, or `none`.
    /// Never fails while 0 < count <= largest_free_run().
    /// A free run less than 1/32 longer than asked may be passed over (good fit).
    std::uint32_t allocate(std::uint32_t count) noexcept;

    /// The same at an index i that satisfies (i + offset) % alignment == 0. `alignment` is a power
    /// of two, in granules. Never fails while count + alignment - 1 <= largest_free_run().
    std::uint32_t allocate_aligned(std::uint32_t count, std::size_t alignment,
                                   std::size_t offset) noexcept;

    /// Returns: the first granule of a run of `most`, or of all of the longest free run if that is
    /// shorter; `none` if it is shorter than `least`.
    /// The behavior is undefined unless 0 < most <= max_granules.
    std::uint32_t allocate_longest(std::uint32_t most, std::uint32_t least) noexcept;

    /// The usual half of allocate(), for those who put the other out of their way with a jump.
    /// Returns: a list of which every run holds `count`; 0, which is no list, if all are empty.
    /// The behavior is undefined unless 0 < count <= max_granules.
    [[nodiscard, gnu::always_inline]] std::size_t find_fitting(std::uint32_t count) const noexcept;
    /// Returns: the first granule of a run of `count`, from the first run of that list.
    /// The behavior is undefined unless it is long enough.
    [[gnu::always_inline]] std::uint32_t take_first(std::size_t list, std::uint32_t count) noexcept;

    /// Returns: the granules of the run in use that begins at `first`; 0 if none begins there.
    [[nodiscard, gnu::always_inline]] std::uint32_t run_length(std::size_t first) const noexcept;

    /// Returns: the granules of the free run behind a run in use; 0 if there is none.
    /// The behavior is undefined unless run_length(first) > 0.
    [[nodiscard]] std::uint32_t free_behind(std::uint32_t first) const noexcept;

    /// Effects: frees the run and merges it with its free neighbours.
    /// The behavior is undefined unless run_length(first) > 0.
    [[gnu::always_inline]] void deallocate(std::uint32_t first) noexcept;

    /// Effects: frees all but the first `count` granules of the run, merged with a free run behind.
    /// The behavior is undefined unless 0 < count <= run_length(first).
    void shrink(std::uint32_t first, std::uint32_t count) noexcept;

    /// Effects: makes two runs in use of one: its first `count` granules, and the others.
    /// The behavior is undefined unless 0 < count < run_length(first).
    void split(std::uint32_t first, std::uint32_t count) noexcept;

    /// Effects: makes one run in use of two that are neighbours.
    /// The behavior is undefined unless run_length(first) > 0, and a run in use begins behind it.
    void join_next(std::uint32_t first) noexcept;

    /// Returns: the first run in use at or behind `from`, where a run begins, that has this owner;
    /// or `none`. Linear in runs.
    [[nodiscard]] std::uint32_t find_owned(std::uint16_t owner, std::uint32_t from) const noexcept;

    /// The record of granule 0; the others follow.
    [[nodiscard]] granule_record* records() noexcept { return &record(0); }

    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    [[nodiscard]] std::uint32_t in_use() const noexcept {
        return in_use_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint32_t peak_in_use() const noexcept {
        return in_use() > peak_in_use_ ? in_use() : peak_in_use_;
    }
    [[nodiscard]] std::uint32_t runs_in_use() const noexcept { return runs_in_use_; }

    /// Whether less than an eighth is free.
    [[nodiscard]] bool is_scarce() const noexcept { return size_ - in_use() < size_ / 8; }

    /// Granules of a run that a request is sure to get now; within 1/32 of the longest free run.
    [[nodiscard]] std::uint32_t largest_free_run() const noexcept;

    /// Null if every invariant holds, else the one that does not. Linear in granules.
    [[nodiscard]] const char* check() const noexcept;

private:
    friend struct run_allocator_inspector; // the tests' one door

    // A link counts units of 8 bytes because three of them are a record: the address is one
    // addressing mode away, and 32 bits reach all of max_granules. Wider here than where it is
    // kept, so that sums of links fold into addresses.
    using link = std::size_t;
    static constexpr std::size_t link_unit = 8;
    static constexpr link record_units = sizeof(granule_record) / link_unit;
    static constexpr link head_units = run_classes::head_units;
    static constexpr unsigned lists_a_word = 32;
    static constexpr std::uint32_t words = run_classes::count / lists_a_word + 1;
    static_assert(words <= 32 && sizeof(run_links) <= head_units * link_unit);
    static_assert(head_units * run_classes::count + record_units * (max_granules + link{2}) <=
                  ~std::uint32_t{0});

    static constexpr std::size_t word_of(link head) noexcept {
        return head / (head_units * lists_a_word);
    }
    /// The link of granule 0: behind the heads and the granule that is always in use.
    static constexpr std::uint32_t first_granule_for(std::uint32_t lists) noexcept {
        return static_cast<std::uint32_t>(run_classes::head_of(lists) + record_units);
    }
    [[nodiscard]] link granule_link(std::uint32_t granule) const noexcept {
        return granules_ + record_units * granule;
    }
    [[nodiscard]] std::uint32_t granule_at(link run) const noexcept {
        // Times the inverse of 3 modulo 2^32: a division in one instruction, as it has no rest.
        constexpr std::uint32_t inverse = 0xAAAAAAAB;
        static_assert(inverse * std::uint32_t{record_units} == 1);
        return (static_cast<std::uint32_t>(run) - granules_) * inverse;
    }
    [[nodiscard]] run_links& at(link where) noexcept {
        return *reinterpret_cast<run_links*>(reinterpret_cast<std::byte*>(this) +
                                             (sizeof(run_allocator) + where * link_unit));
    }
    [[nodiscard]] const run_links& at(link where) const noexcept {
        return *reinterpret_cast<const run_links*>(reinterpret_cast<const std::byte*>(this) +
                                                   (sizeof(run_allocator) + where * link_unit));
    }
    [[nodiscard]] granule_record& record(std::uint32_t granule) noexcept {
        return static_cast<granule_record&>(at(granule_link(granule)));
    }
    [[nodiscard]] const granule_record& record(std::uint32_t granule) const noexcept {
        return static_cast<const granule_record&>(at(granule_link(granule)));
    }
    /// The behavior is undefined if `bits` is 0, where std::countr_zero would test for it.
    static std::uint32_t lowest_bit(std::uint32_t bits) noexcept {
        return static_cast<std::uint32_t>(__builtin_ctz(bits));
    }

    /// Returns: the list of the longest runs; 0 if none is free.
    [[nodiscard]] link find_longest() const noexcept;
    /// The last resort: a list of which the first run holds `count`, though others may not; or 0.
    [[nodiscard]] link find_in_own_class(std::uint32_t count) const noexcept;
    [[nodiscard]] link find(std::uint32_t count) const noexcept;
    /// Effects: uses `count` granules of a free run behind the first `skip`; the rest stays free.
    /// Returns: the first in use.
    std::uint32_t take_behind(link run, std::uint32_t skip, std::uint32_t count) noexcept;
    /// Frees `length` granules, merged with their free neighbours.
    ///
    ///     [used][this][used]  =>  [used][free][used]
    ///     [free][this][used]  =>  [   free   ][used]
    ///     [used][this][free]  =>  [used][   free   ]
    ///     [free][this][free]  =>  [      free      ]
    [[gnu::always_inline]] void release(link run, std::uint32_t length) noexcept;
    [[gnu::always_inline]] void mark_used(link run, std::uint32_t length) noexcept;
    [[gnu::always_inline]] void mark_free(link run, std::uint32_t length) noexcept;
    [[gnu::always_inline]] void insert(link run, link head) noexcept;
    [[gnu::always_inline]] void put_first(link run, link head, link next) noexcept;
    [[gnu::always_inline]] void drop_first(link head, link next) noexcept;
    [[gnu::always_inline]] void unlink(link run) noexcept;
    [[gnu::always_inline]] void note_filled(link head) noexcept;
    [[gnu::always_inline]] void note_emptied(link head) noexcept;
    [[gnu::always_inline]] void note_use(std::uint32_t granules) noexcept;
    [[gnu::always_inline]] void note_disuse(std::uint32_t granules) noexcept;
    [[nodiscard]] const char* check_runs(std::uint32_t& free_runs) const noexcept;
    [[nodiscard]] const char* check_lists(std::uint32_t free_runs) const noexcept;
    [[nodiscard]] const char* check_list(std::uint32_t list, std::uint32_t& left) const noexcept;

    std::uint32_t lists_;    ///< heads in the table
    std::uint32_t granules_; ///< the link of the first
    std::uint32_t size_ = 0;
    std::atomic<std::uint32_t> in_use_ = 0; ///< atomic for who reads it without the mutex
    std::uint32_t peak_in_use_ = 0;         ///< before the last free
    std::uint32_t runs_in_use_ = 0;
    std::uint32_t word_bits_ = 0;                   ///< which words have a bit set
    std::array<std::uint32_t, words> class_bits_{}; ///< which lists are not empty
};

constexpr std::size_t run_allocator::storage_for(std::size_t size, std::size_t max_size) noexcept {
    // No multiple, so that an offset before a record is not taken for units, and added by itself.
    static_assert(sizeof(run_allocator) % link_unit == alignof(granule_record));
    const std::uint32_t lists = run_classes::class_of(static_cast<std::uint32_t>(max_size)) + 1;
    return sizeof(run_allocator) + first_granule_for(lists) * link_unit +
           (size + 1) * sizeof(granule_record);
}

// From here on inline, because a pool's whole refill is a hundred instructions.

inline std::size_t run_allocator::find_fitting(std::uint32_t count) const noexcept {
    const std::uint32_t fitting = run_classes::class_fitting(count);
    const std::uint32_t word = fitting / lists_a_word;
    const std::uint32_t here = class_bits_[word] >> (fitting % lists_a_word);
    link head = 0;
    if (here != 0) {
        head = run_classes::head_of(fitting + lowest_bit(here));
    } else {
        const std::uint32_t above = word_bits_ & (~1U << word);
        if (above == 0) [[unlikely]]
            return 0;
        const std::uint32_t next = lowest_bit(above);
        head = run_classes::head_of(next * lists_a_word + lowest_bit(class_bits_[next]));
    }
    if (head == 0)
        __builtin_unreachable(); // so that the caller's test is not made here
    return head;
}

inline std::uint32_t run_allocator::take_first(std::size_t list, std::uint32_t count) noexcept {
    const link head = list;
    const link run = at(head).next;
    const link next = at(run).next;
    const std::uint32_t rest = at(run).state - count;
    const link behind = run + record_units * count;
    mark_used(run, count);
    note_use(count);
    if (rest == 0) {
        drop_first(head, next);
        return granule_at(run);
    }
    mark_free(behind, rest);
    const link rest_head = run_classes::head_for(rest);
    if (rest_head == head) {
        put_first(behind, head, next);
    } else {
        drop_first(head, next);
        insert(behind, rest_head);
    }
    return granule_at(run);
}

inline std::uint32_t run_allocator::run_length(std::size_t first) const noexcept {
    if (first >= size_)
        return 0;
    const run_links& run = at(granule_link(static_cast<std::uint32_t>(first)));
    return run.state >= run_links::used_first ? run.length() : 0;
}

inline std::uint32_t run_allocator::free_behind(std::uint32_t first) const noexcept {
    const link run = granule_link(first);
    const std::uint32_t behind = at(run + record_units * at(run).length()).state;
    return (behind & run_links::in_use) == 0 ? behind : 0;
}

inline void run_allocator::deallocate(std::uint32_t first) noexcept {
    const link run = granule_link(first);
    const std::uint32_t length = at(run).length();
    note_disuse(length);
    --runs_in_use_;
    release(run, length);
}

inline void run_allocator::shrink(std::uint32_t first, std::uint32_t count) noexcept {
    const link run = granule_link(first);
    const std::uint32_t freed = at(run).length() - count;
    if (freed == 0)
        return;
    note_disuse(freed);
    mark_used(run, count);
    release(run + record_units * count, freed);
}

inline void run_allocator::release(link run, std::uint32_t length) noexcept {
    const link end = run + record_units * length;
    const std::uint32_t behind = at(end).state;
    if ((behind & run_links::in_use) == 0) {
        length += behind;
        unlink(end);
    }
    const std::uint32_t before = at(run - record_units).state;
    if ((before & run_links::in_use) == 0) {
        at(run).state = 0; // inside a run from now on, where nothing begins
        length += before;
        run -= record_units * before;
        unlink(run);
    }
    mark_free(run, length);
    insert(run, run_classes::head_for(length));
}

inline void run_allocator::mark_used(link run, std::uint32_t length) noexcept {
    // In this order: of one granule, the first is the last.
    at(run + record_units * length - record_units).state = run_links::in_use;
    at(run).state = length | run_links::used_first;
}

inline void run_allocator::mark_free(link run, std::uint32_t length) noexcept {
    at(run + record_units * length - record_units).state = length;
    at(run).state = length;
}

inline void run_allocator::insert(link run, link head) noexcept {
    put_first(run, head, at(head).next);
    note_filled(head);
}

/// Puts a free run between a list's head and what came first until now.
inline void run_allocator::put_first(link run, link head, link next) noexcept {
    at(run).previous = static_cast<std::uint32_t>(head);
    // Apart from its neighbours: putting both into a vector and storing that takes longer.
    std::atomic_signal_fence(std::memory_order_release);
    at(run).next = static_cast<std::uint32_t>(next);
    at(head).next = static_cast<std::uint32_t>(run);
    at(next).previous = static_cast<std::uint32_t>(run);
}

/// Takes the first run from a list, of which `next` is then the first.
inline void run_allocator::drop_first(link head, link next) noexcept {
    at(head).next = static_cast<std::uint32_t>(next);
    at(next).previous = static_cast<std::uint32_t>(head);
    if (next == head)
        note_emptied(head);
}

inline void run_allocator::unlink(link run) noexcept {
    const link next = at(run).next;
    const link previous = at(run).previous;
    at(previous).next = static_cast<std::uint32_t>(next);
    at(next).previous = static_cast<std::uint32_t>(previous);
    if (next == previous) // only the head is both
        note_emptied(next);
}

// The state of a list's head is its bit, ready for use.

inline void run_allocator::note_filled(link head) noexcept {
    class_bits_[word_of(head)] |= at(head).state;
    word_bits_ |= 1U << word_of(head);
}

inline void run_allocator::note_emptied(link head) noexcept {
    std::uint32_t& bits = class_bits_[word_of(head)];
    bits -= at(head).state;
    if (bits == 0) [[unlikely]]
        word_bits_ -= 1U << word_of(head);
}

inline void run_allocator::note_use(std::uint32_t granules) noexcept {
    in_use_.store(in_use() + granules, std::memory_order_relaxed);
    ++runs_in_use_;
}

inline void run_allocator::note_disuse(std::uint32_t granules) noexcept {
    const std::uint32_t before = in_use();
    if (before > peak_in_use_) [[unlikely]]
        peak_in_use_ = before;
    in_use_.store(before - granules, std::memory_order_relaxed);
}

} // namespace resident::detail
