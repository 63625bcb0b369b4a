/// Segregated fit over granules in constant time, with all bookkeeping out of band.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace resident::detail {

/// Where a free run is in its list; also what a list's head consists of.
struct run_links {
    /// The length; in_use and, on the first granule, begins_used_run are added for a run in use.
    std::uint32_t state;
    std::uint32_t next; ///< links: see run_allocator
    std::uint32_t previous;

    static constexpr std::uint32_t in_use = 1U << 31;
    static constexpr std::uint32_t begins_used_run = 1U << 30; ///< so that a bad free is seen
    static constexpr std::uint32_t length_bits = begins_used_run - 1;
    static constexpr std::uint32_t used_first = in_use | begins_used_run;

    [[nodiscard]] bool is_free() const noexcept { return (state & in_use) == 0; }
    [[nodiscard]] std::uint32_t length() const noexcept { return state & length_bits; }
};

/// What is known of one granule. Only the first and the last granule of a run say something.
///
///     granule   0   1   2   3   4   5   6   7
///     run       [ used, 3 ] [free, 2] [used,3]
///     state     3   -   3   2   2   3   -   3      first and last: length, and whether in use
///     link                  next,                  first of a free run: neighbours in its list
///                           previous
///
/// Whoever holds a run has the rest of its first record, the links included, for itself, and all
/// but `state` of the others. The arena writes there only to what is free, and reads nothing.
struct granule_record : run_links {
    // What a pool knows of a slab, on its first granule: see pool_state.
    std::uint16_t owner;  ///< which pool; 0 on every run that is no pool's
    std::uint16_t head;   ///< of the list of free blocks; from the slab's begin, in units of 8
    std::uint16_t free;   ///< blocks in that list
    std::uint16_t carved; ///< blocks in use or free; the others were never used so far
    std::uint16_t blocks; ///< that there is room for
    std::uint8_t size_class;
    std::uint8_t distance; ///< where a block begins: granules back to the slab's first
};
static_assert(sizeof(granule_record) == 24, "24 bytes a granule: 0.6 % of the capacity");

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
    static constexpr std::uint32_t max_granules = run_links::length_bits;

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

    /// The usual half of allocate(), for those who put the other out of their way with a jump.
    /// Returns: a list of which every run holds `count`; 0, which is no list, if all are empty.
    /// The behavior is undefined unless 0 < count <= max_granules.
    [[nodiscard]] std::uint32_t find_fitting(std::uint32_t count) const noexcept;
    /// Returns: the first granule of a run of `count` from the first run of `list`.
    /// The behavior is undefined unless that is long enough.
    std::uint32_t take_first(std::uint32_t list, std::uint32_t count) noexcept;

    /// Returns: the granules of the run in use that begins at `first`; 0 if none begins there.
    [[nodiscard]] std::uint32_t run_length(std::size_t first) const noexcept;

    /// Effects: frees the run and merges it with its free neighbours.
    /// The behavior is undefined unless run_length(first) > 0.
    void deallocate(std::uint32_t first) noexcept;

    /// Effects: frees all but the first `count` granules of the run, merged with a free run behind.
    /// The behavior is undefined unless 0 < count <= run_length(first).
    void shrink(std::uint32_t first, std::uint32_t count) noexcept;

    /// Returns: the first run in use at or behind `from`, where a run begins, that has this owner;
    /// or `none`. Linear in runs.
    [[nodiscard]] std::uint32_t find_owned(std::uint16_t owner, std::uint32_t from) const noexcept;

    /// The record of granule 0; the others follow.
    [[nodiscard]] granule_record* records() noexcept { return &record(0); }

    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    [[nodiscard]] std::uint32_t in_use() const noexcept { return in_use_; }
    [[nodiscard]] std::uint32_t peak_in_use() const noexcept {
        return in_use_ > peak_in_use_ ? in_use_ : peak_in_use_;
    }
    [[nodiscard]] std::uint32_t runs_in_use() const noexcept { return runs_in_use_; }

    /// Whether less than an eighth is free.
    [[nodiscard]] bool is_scarce() const noexcept { return size_ - in_use_ < size_ / 8; }

    /// Granules of a run that a request is sure to get now; within 1/32 of the longest free run.
    [[nodiscard]] std::uint32_t largest_free_run() const noexcept;

    /// Null if every invariant holds, else the one that does not. Linear in granules.
    [[nodiscard]] const char* check() const noexcept;

private:
    friend struct run_allocator_inspector; // the tests' one door

    // Classes: 32 per doubling of the length. Those of the lengths below 64 hold one length each.
    static constexpr unsigned subclass_bits = 5;
    static constexpr unsigned subclasses = 1U << subclass_bits;
    static constexpr std::uint32_t classes = 31 * subclasses;
    static constexpr std::uint32_t words = 32; ///< of bits; one for the class behind the last

    /// Exponent and leading digits, one number: what a double has in its upper bits. Half the
    /// instructions of finding the highest bit, and exact: a double holds every length.
    static constexpr std::uint32_t digits_of(std::uint32_t value) noexcept {
        constexpr unsigned mantissa_bits = 52;
        const auto exact = static_cast<double>(static_cast<std::int32_t>(value));
        return static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(exact) >>
                                          (mantissa_bits - subclass_bits));
    }
    /// The class, and list, of a length.
    static constexpr std::uint32_t class_of(std::uint32_t length) noexcept {
        return digits_of(length) - digits_of(1) + subclasses;
    }
    /// The first class of which no run is shorter than `count`: the one behind that of count - 1/2.
    static constexpr std::uint32_t class_fitting(std::uint32_t count) noexcept {
        return digits_of(2 * count - 1) - digits_of(2) + subclasses + 1;
    }
    // A link counts units of 8 bytes because three of them are a record: the address is one
    // addressing mode away, and 32 bits reach all of max_granules. Wider here than where it is
    // kept, so that sums of links fold into addresses.
    using link = std::size_t;
    static constexpr std::size_t link_unit = 8;
    static constexpr link record_units = sizeof(granule_record) / link_unit;
    static constexpr link head_units = 2;
    static_assert(sizeof(run_links) <= head_units * link_unit);
    static_assert(head_units * classes + record_units * (max_granules + link{2}) <=
                  ~std::uint32_t{0});

    static constexpr link head_of(std::uint32_t list) noexcept { return head_units * list; }
    static constexpr std::uint32_t list_of(link head) noexcept {
        return static_cast<std::uint32_t>(head / head_units);
    }
    /// The link of granule 0: behind the heads and the granule that is always in use.
    static constexpr std::uint32_t first_granule_for(std::size_t max_size) noexcept {
        const std::uint32_t lists = class_of(static_cast<std::uint32_t>(max_size)) + 1;
        return static_cast<std::uint32_t>(head_of(lists) + record_units);
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
        return *reinterpret_cast<run_links*>(reinterpret_cast<std::byte*>(this + 1) +
                                             where * link_unit);
    }
    [[nodiscard]] const run_links& at(link where) const noexcept {
        return *reinterpret_cast<const run_links*>(reinterpret_cast<const std::byte*>(this + 1) +
                                                   where * link_unit);
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

    /// The last resort: a list of which the first run holds `count`, though others may not; or 0.
    [[nodiscard]] std::uint32_t find_in_own_class(std::uint32_t count) const noexcept;
    [[nodiscard]] std::uint32_t find(std::uint32_t count) const noexcept;
    /// Effects: uses `count` granules of a free run behind the first `skip`; the rest stays free.
    /// Returns: the first in use.
    std::uint32_t take_behind(link run, std::uint32_t skip, std::uint32_t count) noexcept;
    /// Frees `length` granules, merged with their free neighbours.
    ///
    ///     [used][this][used]  =>  [used][free][used]
    ///     [free][this][used]  =>  [   free   ][used]
    ///     [used][this][free]  =>  [used][   free   ]
    ///     [free][this][free]  =>  [      free      ]
    void release(link run, std::uint32_t length) noexcept;
    void mark_used(link run, std::uint32_t length) noexcept;
    void insert(link run, std::uint32_t length) noexcept;
    void put_first(link run, std::uint32_t length, link list, link next) noexcept;
    void unlink(link run) noexcept;
    void note_filled(std::uint32_t list) noexcept;
    void note_emptied(link list) noexcept;
    void note_use(std::uint32_t granules) noexcept;
    void note_peak() noexcept {
        if (in_use_ > peak_in_use_) [[unlikely]]
            peak_in_use_ = in_use_;
    }
    [[nodiscard]] const char* check_runs(std::uint32_t& free_runs) const noexcept;
    [[nodiscard]] const char* check_lists(std::uint32_t free_runs) const noexcept;
    [[nodiscard]] const char* check_list(std::uint32_t list, std::uint32_t& left) const noexcept;

    std::uint32_t granules_; ///< the link of the first
    std::uint32_t size_ = 0;
    std::uint32_t in_use_ = 0;
    std::uint32_t peak_in_use_ = 0; ///< before the last free
    std::uint32_t runs_in_use_ = 0;
    std::uint32_t word_bits_ = 0;                   ///< which words have a bit set
    std::array<std::uint32_t, words> class_bits_{}; ///< which lists are not empty
};

constexpr std::size_t run_allocator::storage_for(std::size_t size, std::size_t max_size) noexcept {
    return sizeof(run_allocator) + first_granule_for(max_size) * link_unit +
           (size + 1) * sizeof(granule_record);
}

// From here on inline, because a pool's whole refill is a hundred instructions.

inline std::uint32_t run_allocator::find_fitting(std::uint32_t count) const noexcept {
    static_assert(0 < class_fitting(1) && class_fitting(1) <= class_of(1));
    static_assert(class_of(max_granules) < classes && class_fitting(max_granules) <= classes);
    static_assert(classes / subclasses < words && subclasses == 32);
    const std::uint32_t fitting = class_fitting(count);
    const std::uint32_t word = fitting / subclasses;
    const std::uint32_t here = class_bits_[word] >> (fitting % subclasses);
    if (here != 0)
        return fitting + lowest_bit(here);
    const std::uint32_t above = word_bits_ & (~1U << word);
    if (above == 0) [[unlikely]]
        return 0;
    const std::uint32_t next = lowest_bit(above);
    return next * subclasses + lowest_bit(class_bits_[next]);
}

inline std::uint32_t run_allocator::take_first(std::uint32_t list, std::uint32_t count) noexcept {
    link head = head_of(list);
    const link run = at(head).next;
    link next = at(run).next;
    const std::uint32_t length = at(run).state;
    const std::uint32_t rest = length - count;
    const std::uint32_t rest_list = rest == 0 ? 0 : class_of(rest);
    if (rest_list != list) {
        at(head).next = static_cast<std::uint32_t>(next);
        at(next).previous = static_cast<std::uint32_t>(head);
        if (next == head)
            note_emptied(head);
    }
    if (rest != 0) {
        if (rest_list != list) {
            head = head_of(rest_list);
            next = at(head).next;
            note_filled(rest_list);
        }
        put_first(run + record_units * count, rest, head, next);
    }
    mark_used(run, count);
    note_use(count);
    return granule_at(run);
}

inline std::uint32_t run_allocator::run_length(std::size_t first) const noexcept {
    if (first >= size_)
        return 0;
    const run_links& run = at(granule_link(static_cast<std::uint32_t>(first)));
    return run.state >= run_links::used_first ? run.length() : 0;
}

inline void run_allocator::deallocate(std::uint32_t first) noexcept {
    const link run = granule_link(first);
    const std::uint32_t length = at(run).length();
    note_peak();
    in_use_ -= length;
    --runs_in_use_;
    release(run, length);
}

inline void run_allocator::shrink(std::uint32_t first, std::uint32_t count) noexcept {
    const link run = granule_link(first);
    const std::uint32_t freed = at(run).length() - count;
    if (freed == 0)
        return;
    note_peak();
    in_use_ -= freed;
    mark_used(run, count);
    release(run + record_units * count, freed);
}

inline void run_allocator::release(link run, std::uint32_t length) noexcept {
    const link end = run + record_units * length;
    const std::uint32_t behind = at(end).state;
    if ((behind & run_links::in_use) == 0) {
        unlink(end);
        length += behind;
    }
    const std::uint32_t before = at(run - record_units).state;
    if ((before & run_links::in_use) == 0) {
        at(run).state = 0; // inside a run from now on, where nothing begins
        run -= record_units * before;
        length += before;
        unlink(run);
    }
    insert(run, length);
}

inline void run_allocator::mark_used(link run, std::uint32_t length) noexcept {
    // In this order: of one granule, the first is the last.
    at(run + record_units * length - record_units).state = length | run_links::in_use;
    at(run).state = length | run_links::used_first;
}

inline void run_allocator::insert(link run, std::uint32_t length) noexcept {
    const std::uint32_t list = class_of(length);
    put_first(run, length, head_of(list), at(head_of(list)).next);
    note_filled(list);
}

/// Puts a free run between a list's head and what came first until now.
inline void run_allocator::put_first(link run, std::uint32_t length, link list,
                                     link next) noexcept {
    at(run).next = static_cast<std::uint32_t>(next);
    at(run).previous = static_cast<std::uint32_t>(list);
    at(list).next = static_cast<std::uint32_t>(run);
    at(next).previous = static_cast<std::uint32_t>(run);
    at(run + record_units * length - record_units).state = length;
    at(run).state = length;
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

inline void run_allocator::note_filled(std::uint32_t list) noexcept {
    class_bits_[list / subclasses] |= at(head_of(list)).state;
    word_bits_ |= 1U << (list / subclasses);
}

inline void run_allocator::note_emptied(link list) noexcept {
    const std::uint32_t word = list_of(list) / subclasses;
    if ((class_bits_[word] ^= at(list).state) == 0)
        word_bits_ ^= 1U << word;
}

inline void run_allocator::note_use(std::uint32_t granules) noexcept {
    in_use_ += granules;
    ++runs_in_use_;
}

} // namespace resident::detail
