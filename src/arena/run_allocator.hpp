/// Segregated fit over granules in constant time, with all bookkeeping out of band.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace resident::detail {

/// What is known of one granule. Only the first and the last granule of a run say something.
///
///     granule   0   1   2   3   4   5   6   7
///     run       [ used, 3 ] [free, 2] [used,3]
///     state     3   -   3   2   2   3   -   3      first and last: length, and whether in use
///     link                  next,                  first of a free run: neighbours in its list
///                           previous
struct granule_record {
    /// The length; in_use and, on the first granule, begins_used_run are added for a run in use.
    std::uint32_t state;
    std::uint32_t next; ///< links are slots: see run_allocator
    std::uint32_t previous;

    static constexpr std::uint32_t in_use = 1U << 31;
    static constexpr std::uint32_t begins_used_run = 1U << 30; ///< so that a bad free is seen
    static constexpr std::uint32_t length_bits = begins_used_run - 1;
    static constexpr std::uint32_t used_first = in_use | begins_used_run;

    [[nodiscard]] bool is_free() const noexcept { return (state & in_use) == 0; }
    [[nodiscard]] std::uint32_t length() const noexcept { return state & length_bits; }
};
static_assert(sizeof(granule_record) == 12, "12 bytes a granule: 0.3 % of the capacity");

/// Hands out runs of granules, by index; knows nothing of addresses but their alignment.
///
/// Free runs of about one length, a class, are in a circular list. The lists' heads lie before the
/// granules in one table, so that no link needs a case of its own. A granule of either side lies
/// beyond the ends, in use for ever, so that no merge does.
///
///     slot      0 ... lists-1   lists ...         lists+size()
///     table     [list heads ]   [granules      ]  [in use]       directly behind the allocator
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
    static constexpr std::uint32_t max_granules = granule_record::length_bits;

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

    /// Returns: the granules of the run in use that begins at `first`; 0 if none begins there.
    [[nodiscard]] std::uint32_t run_length(std::size_t first) const noexcept;

    /// Effects: frees the run and merges it with its free neighbours.
    /// The behavior is undefined unless run_length(first) > 0.
    void deallocate(std::uint32_t first) noexcept;

    /// Effects: frees all but the first `count` granules of the run, merged with a free run behind.
    /// The behavior is undefined unless 0 < count <= run_length(first).
    void shrink(std::uint32_t first, std::uint32_t count) noexcept;

    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    [[nodiscard]] std::uint32_t in_use() const noexcept { return in_use_; }
    [[nodiscard]] std::uint32_t peak_in_use() const noexcept {
        return in_use_ > peak_in_use_ ? in_use_ : peak_in_use_;
    }
    [[nodiscard]] std::uint32_t runs_in_use() const noexcept { return runs_in_use_; }

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
    static constexpr std::uint32_t words = classes / 64 + 1;

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

    [[nodiscard]] granule_record& at(std::uint32_t slot) noexcept {
        return reinterpret_cast<granule_record*>(this + 1)[slot];
    }
    [[nodiscard]] const granule_record& at(std::uint32_t slot) const noexcept {
        return reinterpret_cast<const granule_record*>(this + 1)[slot];
    }

    /// Returns: a list whose first run is `count` long at least; 0, which is no list, if none is.
    [[nodiscard]] std::uint32_t find(std::uint32_t count) const noexcept;
    [[nodiscard]] std::uint32_t find_in_own_class(std::uint32_t count) const noexcept;
    /// Effects: takes the first run from its list, uses its first `count` granules and leaves the
    /// rest free. Returns: its slot.
    std::uint32_t take_first(std::uint32_t list, std::uint32_t count) noexcept;
    /// Effects: takes the free run from its list, uses `count` granules behind the first `skip` and
    /// leaves the rest free. Returns: the slot where the use begins.
    std::uint32_t take_behind(std::uint32_t slot, std::uint32_t skip, std::uint32_t count) noexcept;
    /// Frees [slot, slot + length), merged with its free neighbours.
    ///
    ///     [used][this][used]  =>  [used][free][used]
    ///     [free][this][used]  =>  [   free   ][used]
    ///     [used][this][free]  =>  [used][   free   ]
    ///     [free][this][free]  =>  [      free      ]
    void release(std::uint32_t slot, std::uint32_t length) noexcept;
    void mark_used(std::uint32_t slot, std::uint32_t length) noexcept;
    void insert(std::uint32_t slot, std::uint32_t length) noexcept;
    void link(std::uint32_t slot, std::uint32_t length, std::uint32_t list,
              std::uint32_t next) noexcept;
    void unlink(std::uint32_t slot) noexcept;
    void note_filled(std::uint32_t list) noexcept;
    void note_emptied(std::uint32_t list) noexcept;
    void note_peak() noexcept { peak_in_use_ = peak_in_use(); }
    [[nodiscard]] const char* check_runs(std::uint32_t& free_runs) const noexcept;
    [[nodiscard]] const char* check_lists(std::uint32_t free_runs) const noexcept;
    [[nodiscard]] const char* check_list(std::uint32_t list, std::uint32_t& left) const noexcept;

    std::uint32_t lists_; ///< heads in the table; the slot of the first granule
    std::uint32_t size_ = 0;
    std::uint32_t in_use_ = 0;
    std::uint32_t peak_in_use_ = 0; ///< before the last free
    std::uint32_t runs_in_use_ = 0;
    std::uint32_t word_bits_ = 0;                   ///< which words have a bit set
    std::array<std::uint64_t, words> class_bits_{}; ///< which lists are not empty
    static_assert(words <= 32);
};

constexpr std::size_t run_allocator::storage_for(std::size_t size, std::size_t max_size) noexcept {
    const std::size_t lists = class_of(static_cast<std::uint32_t>(max_size)) + 1;
    return sizeof(run_allocator) + (lists + size + 1) * sizeof(granule_record);
}

// From here on inline, because a pool's whole refill is a hundred instructions.

inline std::uint32_t run_allocator::find(std::uint32_t count) const noexcept {
    static_assert(0 < class_fitting(1) && class_fitting(1) <= class_of(1));
    static_assert(class_of(max_granules) < classes && class_fitting(max_granules) <= classes);
    const std::uint32_t fitting = class_fitting(count);
    const std::uint32_t word = fitting / 64;
    const std::uint64_t here = class_bits_[word] >> (fitting % 64);
    if (here != 0)
        return fitting + static_cast<std::uint32_t>(std::countr_zero(here));
    const std::uint32_t above = word_bits_ >> (word + 1);
    if (above == 0) [[unlikely]]
        return find_in_own_class(count);
    const std::uint32_t next = word + 1 + static_cast<std::uint32_t>(std::countr_zero(above));
    return next * 64 + static_cast<std::uint32_t>(std::countr_zero(class_bits_[next]));
}

inline std::uint32_t run_allocator::take_first(std::uint32_t list, std::uint32_t count) noexcept {
    const std::uint32_t slot = at(list).next;
    const std::uint32_t length = at(slot).state;
    std::uint32_t next = at(slot).next;
    const std::uint32_t rest = length - count;
    const std::uint32_t rest_list = rest == 0 ? 0 : class_of(rest);
    if (rest_list != list) {
        at(list).next = next;
        at(next).previous = list;
        if (next == list)
            note_emptied(list);
    }
    if (rest != 0) {
        if (rest_list != list) {
            next = at(rest_list).next;
            note_filled(rest_list);
        }
        link(slot + count, rest, rest_list, next);
    }
    mark_used(slot, count);
    in_use_ += count;
    ++runs_in_use_;
    return slot;
}

inline std::uint32_t run_allocator::allocate(std::uint32_t count) noexcept {
    if (count - 1 >= size_) [[unlikely]]
        return none;
    const std::uint32_t list = find(count);
    if (list == 0) [[unlikely]]
        return none;
    return take_first(list, count) - lists_;
}

inline std::uint32_t run_allocator::run_length(std::size_t first) const noexcept {
    if (first >= size_)
        return 0;
    const granule_record& record = at(lists_ + static_cast<std::uint32_t>(first));
    return record.state >= granule_record::used_first ? record.length() : 0;
}

inline void run_allocator::deallocate(std::uint32_t first) noexcept {
    const std::uint32_t slot = lists_ + first;
    const std::uint32_t length = at(slot).length();
    note_peak();
    in_use_ -= length;
    --runs_in_use_;
    release(slot, length);
}

inline void run_allocator::shrink(std::uint32_t first, std::uint32_t count) noexcept {
    const std::uint32_t slot = lists_ + first;
    const std::uint32_t freed = at(slot).length() - count;
    if (freed == 0)
        return;
    note_peak();
    in_use_ -= freed;
    mark_used(slot, count);
    release(slot + count, freed);
}

inline void run_allocator::release(std::uint32_t slot, std::uint32_t length) noexcept {
    const std::uint32_t behind = at(slot + length).state;
    if ((behind & granule_record::in_use) == 0) {
        unlink(slot + length);
        length += behind;
    }
    const std::uint32_t before = at(slot - 1).state;
    if ((before & granule_record::in_use) == 0) {
        at(slot).state = 0; // inside a run from now on, where nothing begins
        slot -= before;
        length += before;
        unlink(slot);
    }
    insert(slot, length);
}

inline void run_allocator::mark_used(std::uint32_t slot, std::uint32_t length) noexcept {
    // In this order: of one granule, the first is the last.
    at(slot + length - 1).state = length | granule_record::in_use;
    at(slot).state = length | granule_record::used_first;
}

inline void run_allocator::insert(std::uint32_t slot, std::uint32_t length) noexcept {
    const std::uint32_t list = class_of(length);
    link(slot, length, list, at(list).next);
    note_filled(list);
}

/// Puts a free run between a list's head and what came first until now.
inline void run_allocator::link(std::uint32_t slot, std::uint32_t length, std::uint32_t list,
                                std::uint32_t next) noexcept {
    at(slot).next = next;
    at(slot).previous = list;
    at(list).next = slot;
    at(next).previous = slot;
    at(slot + length - 1).state = length;
    at(slot).state = length;
}

inline void run_allocator::unlink(std::uint32_t slot) noexcept {
    const std::uint32_t next = at(slot).next;
    const std::uint32_t previous = at(slot).previous;
    at(previous).next = next;
    at(next).previous = previous;
    if (next == previous) // only the head is both
        note_emptied(next);
}

inline void run_allocator::note_filled(std::uint32_t list) noexcept {
    class_bits_[list / 64] |= std::uint64_t{1} << (list % 64);
    word_bits_ |= 1U << (list / 64);
}

inline void run_allocator::note_emptied(std::uint32_t list) noexcept {
    const std::uint64_t left = class_bits_[list / 64] & ~(std::uint64_t{1} << (list % 64));
    class_bits_[list / 64] = left;
    if (left == 0)
        word_bits_ &= ~(1U << (list / 64));
}

} // namespace resident::detail
