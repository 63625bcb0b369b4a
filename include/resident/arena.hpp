/// resident::arena: reserved, locked, populated and proved memory, as a std::pmr::memory_resource.
#pragma once

#include "resident/arena_options.hpp"
#include "resident/error.hpp"
#include "resident/residency.hpp"
#include "resident/result.hpp"
#include "resident/size_literals.hpp"

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>

namespace resident {

class arena;

/// Counters of an arena; bytes unless said otherwise. Consistent with each other.
struct arena_statistics {
    std::size_t capacity = 0;     ///< usable now
    std::size_t max_capacity = 0; ///< usable after growth
    std::size_t resident = 0;     ///< populated: capacity and bookkeeping
    std::size_t locked = 0;       ///< charged to RLIMIT_MEMLOCK
    std::size_t bookkeeping = 0;  ///< populated, beside the capacity
    std::size_t in_use = 0;       ///< handed out, in whole granules
    std::size_t peak_in_use = 0;
    std::size_t largest_free_run = 0;  ///< a request of this size, not over-aligned, succeeds now
    std::uint64_t runs_in_use = 0;     ///< runs
    std::uint64_t failures = 0;        ///< requests refused
    std::uint64_t growth_failures = 0; ///< times growth was refused
};

/// Proof of residency: what smaps and a write pass found.
struct arena_proof {
    bool resident = false;  ///< every page is in RAM, locked unless locking is off, and
                            ///< can be written to without a fault
    std::size_t size = 0;   ///< bytes proved: capacity and bookkeeping
    std::size_t rss = 0;    ///< bytes in RAM, by smaps (reserved huge pages included)
    std::size_t locked = 0; ///< bytes pinned, by smaps (reserved huge pages included)
    std::size_t huge = 0;   ///< bytes in huge pages of either kind, by smaps
    /// Faults that writing to each page made, in up to three passes: copies due after a fork, pages
    /// that the kernel was moving. `resident` says that the last pass made none.
    std::uint64_t write_faults = 0;
};

namespace detail {
class arena_state;
struct arena_access;
/// What create() passes to the constructor; nobody else can make one.
class built_arena {
    friend class resident::arena;
    explicit built_arena(arena_state* state) noexcept : state_(state) {}
    arena_state* state_;
};
} // namespace detail

/// One contiguous address range, of which a prefix is resident, handed out in runs of granules.
///
///     +-------+---------------------+- - - - - - - - -+-------+
///     | guard | capacity (resident) | to max_capacity | guard |     guard: inaccessible pages
///     +-------+---------------------+- - - - - - - - -+-------+
///               locked, populated     inaccessible
///
///     +-------+-----------------------+- - - - -+-------+
///     | guard | state | granule table | growth  | guard |           bookkeeping, out of band:
///     +-------+-----------------------+- - - - -+-------+           overflowing a run cannot
///               locked, populated                                   reach it
///
/// Runs are found by two-level segregated fit (Masmano et al., "TLSF: A New Dynamic Memory
/// Allocator for Real-Time Systems", ECRTS 2004): allocation and deallocation take a bounded number
/// of instructions, make no system call and no page fault, and coalesce at once.
///
/// Threads: every member may be called from any thread at any time, except construction and
/// destruction. allocate and deallocate hold a priority-inheritance mutex around a constant-time
/// section: where two threads meet there, one of them waits in the kernel for that long. A thread's
/// first call, on whatever arena, asks the kernel for the thread's number; building one does too.
///
/// An arena neither moves nor copies: pools and containers point at it.
class arena final : public std::pmr::memory_resource {
public:
    /// Unit of bookkeeping: every run starts at a multiple of this and is a multiple of this long.
    static constexpr std::size_t granule_size = 4_KiB;

    /// Largest capacity and max_capacity, bytes: 4 TiB less one granule.
    static constexpr std::size_t max_supported_capacity =
        ((std::size_t{1} << 30) - 1) * granule_size;

    /// Effects: reserves max_capacity, makes capacity resident and proves it. Raises the soft
    /// memlock limit to the hard one if that is needed and enough.
    /// Throws: `resident::error` if and only if that cannot be done as the options ask; else only
    /// what `options.progress` throws when called or copied. Then nothing is left mapped or locked.
    /// In a build without exceptions: prints the error and aborts.
    /// Where /proc/self/smaps cannot be read (no /proc; after setuid) the proof is the write pass
    /// alone. Complexity: linear in capacity, and in the memory of the whole process, whose smaps
    /// is read. Not real-time safe.
    explicit arena(const arena_options& options = {});

    /// The same, for code without exceptions: fails if and only if the constructor would throw
    /// `resident::error`.
    static result<arena> create(const arena_options& options = {});

    /// Effects: unmaps everything; in a forked child: nothing.
    /// The behavior is undefined if memory of this arena is used afterwards.
    ~arena() override;

    arena(const arena&) = delete;
    arena& operator=(const arena&) = delete;
    explicit arena(detail::built_arena built) noexcept; ///< for create() alone

    /// Bytes that an arena of these options charges to RLIMIT_MEMLOCK: capacity and bookkeeping.
    /// Requires: valid options. Reserved huge pages are not charged; for `automatic` this is what
    /// is charged without them. 0 for lock_policy::off.
    [[nodiscard]] static std::size_t memlock_needed(const arena_options& options) noexcept;

    /// Returns: `bytes` rounded up to granules and aligned to `alignment`, or null, counted as a
    /// failure, if no free run fits or `alignment` is not a power of two. 0 bytes count as 1.
    /// Succeeds whenever `bytes`, plus what `alignment` exceeds a granule by, is at most
    /// statistics().largest_free_run; beyond that, a run less than 1/32 longer than asked may be
    /// passed over (good fit: the price of constant time).
    /// The inherited `allocate` is the same and throws `std::bad_alloc` instead of null.
    /// Complexity: constant. Real-time safe; see "Threads" above.
    [[nodiscard]] void* try_allocate(std::size_t bytes,
                                     std::size_t alignment = granule_size) noexcept;

    /// Effects: as the inherited `deallocate`, without being told the size.
    /// The behavior is undefined unless `run` was allocated here and not freed since; freeing what
    /// is not the start of a run in use, null included, is detected, told on stderr, and aborts.
    /// Complexity: constant. Real-time safe.
    void deallocate_run(void* run) noexcept;

    /// Effects: makes `bytes` more resident, and what is missing to a multiple of 2 MiB (of the
    /// page where pages are larger) in all, at most up to max_capacity; populated in steps of 2
    /// MiB. The kind of pages and the lock state are those that construction settled on. Returns:
    /// the bytes added, 0 if max_capacity was reached before. Throws: `resident::error` if and only
    /// if they cannot be made resident, and what `options.progress` throws; then the arena is as
    /// before. In a build without exceptions: prints the error and aborts. Other threads may
    /// allocate meanwhile. Not real-time safe.
    std::size_t grow(std::size_t bytes);
    /// The same, returning the error.
    result<std::size_t> try_grow(std::size_t bytes);

    /// Whether `address` lies in the capacity. Constant; real-time safe.
    [[nodiscard]] bool owns(const void* address) const noexcept;

    /// The resident range [begin, begin + capacity). Constant; real-time safe.
    [[nodiscard]] std::span<std::byte> memory() const noexcept;

    /// Constant; real-time safe.
    [[nodiscard]] arena_statistics statistics() const noexcept;

    /// Effects: reads /proc/self/smaps and writes to one word of every page, atomically and without
    /// changing it, counting the faults of this thread.
    /// Fails if and only if smaps cannot be read or faults cannot be counted. Linear in capacity,
    /// and in the memory of the whole process: a smaps is read in whole. Not real-time safe; waits
    /// for a growth in progress, and under fork_policy::inherit takes the copies that are due.
    [[nodiscard]] result<arena_proof> verify() const;

    /// The page map of memory(). Fails as `residency` does. Not real-time safe.
    [[nodiscard]] result<page_map> map() const;

    /// The pages obtained; never `automatic`. `base` where transparent huge pages were asked for
    /// and smaps showed none.
    [[nodiscard]] page_kind pages() const noexcept;

    /// Whether every byte is locked (reserved huge pages always are).
    [[nodiscard]] bool locked() const noexcept;

    /// The NUMA node that the memory prefers, which keeps NUMA balancing away from it; -1 if the
    /// kernel has no NUMA or forbids mbind, as containers do.
    [[nodiscard]] int numa_node() const noexcept;

    /// Why locking failed under `best_effort`; null if it did not.
    [[nodiscard]] const error* degradation() const noexcept;

    [[nodiscard]] const char* name() const noexcept;

    /// Validates every invariant of the run bookkeeping. Returns: null if all hold, else which does
    /// not (static storage). Complexity: linear in granules; holds the lock meanwhile. For tests.
    [[nodiscard]] const char* check() const noexcept;

private:
    friend struct detail::arena_access; // the pools' door

    void* do_allocate(std::size_t bytes, std::size_t alignment) override;
    void do_deallocate(void* run, std::size_t bytes, std::size_t alignment) override;
    [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return this == &other;
    }

    detail::arena_state* state_;
    std::size_t generation_; ///< which process, counted in forks, built it
};

} // namespace resident
