/// Two-level segregated fit over granules, with all bookkeeping out of band.
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
///     length    3   -   3   2   2   3   -   3      first and last: length, and whether in use
///     link                  next,                  first of a free run: neighbours in its list
///                           previous
struct granule_record {
    std::uint32_t length : 30;
    std::uint32_t in_use : 1;
    std::uint32_t begins_used_run : 1; ///< set on no other granule, so that a bad free is seen
    std::uint32_t next;
    std::uint32_t previous;
};
static_assert(sizeof(granule_record) == 12, "12 bytes a granule: 0.3 % of the capacity");

/// Hands out runs of granules, by index; knows nothing of addresses but their alignment.
///
/// Invariants: runs tile [0, size()); no two neighbours are both free; every free run is in the
/// list of its class; a bit is set if and only if its list is not empty. check() validates them.
///
/// Not thread safe: arena holds a mutex. No function loops but over a constant number of steps,
/// check() excepted. Zeroed memory is a valid allocator of no granules.
class run_allocator {
public:
    static constexpr std::uint32_t none = ~std::uint32_t{0};
    /// Granules that can be managed: what `length` can hold.
    static constexpr std::size_t max_granules = (std::size_t{1} << 30) - 1;

    /// `records` has room for every granule that will ever be added, resident for those that are.
    explicit run_allocator(granule_record* records) noexcept;

    /// Effects: appends `count` free granules, merged with a free run at the end.
    /// The behavior is undefined unless 0 < count and size() + count <= max_granules.
    void extend(std::size_t count) noexcept;

    /// Returns: the first granule of a run of `count` whose index i satisfies
    /// (i + offset) % alignment == 0, or `none`. `alignment` is a power of two, in granules.
    /// Never fails while count + alignment - 1 <= largest_free_run().
    /// A free run less than 1/32 longer than asked may be passed over (good fit).
    std::uint32_t allocate(std::size_t count, std::size_t alignment, std::size_t offset) noexcept;

    /// Returns: the granules of the run in use that begins at `first`; 0 if none begins there.
    [[nodiscard]] std::size_t run_length(std::size_t first) const noexcept;

    /// Effects: frees the run and merges it with its free neighbours.
    /// The behavior is undefined unless run_length(first) > 0.
    void deallocate(std::uint32_t first) noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t in_use() const noexcept { return in_use_; }
    [[nodiscard]] std::size_t peak_in_use() const noexcept { return peak_in_use_; }
    [[nodiscard]] std::size_t runs_in_use() const noexcept { return runs_in_use_; }

    /// Granules of a run that a request is sure to get now; within 1/32 of the longest free run.
    [[nodiscard]] std::size_t largest_free_run() const noexcept;

    /// Null if every invariant holds, else the one that does not. Linear in granules.
    [[nodiscard]] const char* check() const noexcept;

private:
    friend struct run_allocator_inspector; // the tests' one door

    // Lengths below 2 * subclasses have a class each; from there on, `subclasses` per doubling.
    static constexpr unsigned subclass_bits = 5;
    static constexpr unsigned subclasses = 1u << subclass_bits;
    static constexpr unsigned levels = 30 - subclass_bits + 1;
    static_assert(levels <= 32 && subclasses <= 32, "one word of bits a level, one for the levels");

    struct size_class {
        unsigned level;
        unsigned subclass;
    };
    static constexpr size_class class_of(std::size_t length) noexcept {
        if (length < subclasses)
            return {0, static_cast<unsigned>(length)};
        const unsigned top = static_cast<unsigned>(std::bit_width(length)) - 1;
        const auto subclass = static_cast<unsigned>(length >> (top - subclass_bits)) - subclasses;
        return {top - subclass_bits + 1, subclass};
    }

    [[nodiscard]] std::uint32_t find(std::size_t count) const noexcept;
    std::uint32_t take(std::uint32_t run, std::size_t skip, std::size_t count) noexcept;
    /// Inserts [first, first + length), merged with its free neighbours.
    ///
    ///     [used][this][used]  =>  [used][free][used]
    ///     [free][this][used]  =>  [   free   ][used]
    ///     [used][this][free]  =>  [used][   free   ]
    ///     [free][this][free]  =>  [      free      ]
    void release(std::size_t first, std::size_t length) noexcept;
    void mark(std::size_t first, std::size_t length, bool in_use) noexcept;
    void insert(std::size_t first, std::size_t length) noexcept;
    void remove(std::uint32_t first) noexcept;
    [[nodiscard]] const char* check_runs(std::size_t& free_runs) const noexcept;
    [[nodiscard]] const char* check_lists(std::size_t free_runs) const noexcept;

    granule_record* records_;
    std::size_t size_ = 0;
    std::size_t in_use_ = 0;
    std::size_t peak_in_use_ = 0;
    std::size_t runs_in_use_ = 0;
    std::uint32_t level_bits_ = 0;
    std::array<std::uint32_t, levels> subclass_bits_{};
    /// First granule of the first free run, plus 1: 0 is the empty list, as in zeroed memory.
    std::array<std::array<std::uint32_t, subclasses>, levels> lists_{};
};

} // namespace resident::detail
