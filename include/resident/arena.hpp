/// resident::arena: reserved, locked, populated and proved memory, as a std::pmr::memory_resource.
#pragma once

#include "resident/error.hpp"
#include "resident/residency.hpp"
#include "resident/result.hpp"
#include "resident/size_literals.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory_resource>
#include <span>

namespace resident {

/// The pages an arena is made of.
enum class page_kind : std::uint8_t {
    automatic,        ///< reserved huge pages of 2 MiB, else transparent huge, else base pages
    base,             ///< 4 KiB on x86-64
    transparent_huge, ///< base pages that the kernel merges into 2 MiB where it can
    huge_2M,          ///< from the administrator's pool of reserved 2 MiB pages
    huge_1G,          ///< from the administrator's pool of reserved 1 GiB pages
};

/// What to do about locking.
enum class lock_policy : std::uint8_t {
    required,    ///< a lock that fails is an error
    best_effort, ///< a lock that fails leaves a populated, unlocked arena; see degradation()
    off,         ///< populate and do not lock
};

/// What a forked child finds at the arena's addresses. The parent never takes a copy-on-write
/// fault under `exclude` and `wipe`; under `inherit` it takes one per page after each fork.
enum class fork_policy : std::uint8_t {
    exclude, ///< nothing: touching it is SIGSEGV (destroying the arena object is a no-op)
    wipe,    ///< zeros; the child's arena refuses every request. Not with reserved huge pages
    inherit, ///< a copy, not locked
};

/// Whether a core dump holds the arena's content.
enum class core_dump_policy : std::uint8_t { exclude, include };

/// Name of an enumerator as written above. Static storage; never null.
[[nodiscard]] const char* to_string(page_kind value) noexcept;
[[nodiscard]] const char* to_string(lock_policy value) noexcept;
[[nodiscard]] const char* to_string(fork_policy value) noexcept;

/// How far a set-up has come; in bytes.
struct arena_progress {
    std::size_t populated = 0;
    std::size_t total = 0;
};

/// A thread of normal priority that keeps free memory ahead of demand. It may run on the processors
/// of the thread that builds the arena: build it before pinning that thread to an isolated one.
struct background_growth {
    std::size_t keep_free = 0; ///< bytes; grow when less is free. 0: no such thread
    std::chrono::milliseconds poll_interval{10}; ///< how often it looks; `allocate` never wakes it
};

/// 4 MiB: with its bookkeeping well inside the 8 MiB that an ordinary user may lock by default.
inline constexpr std::size_t default_arena_capacity = 4_MiB;

/// How to build an arena. Every field may be left out.
struct arena_options {
    /// Bytes to make resident now. A multiple of `arena::granule_size`, and of the huge page for
    /// `huge_2M` and `huge_1G`; not 0.
    std::size_t capacity = default_arena_capacity;
    /// Bytes of address space to reserve for growth, same multiples; 0 means `capacity`.
    std::size_t max_capacity = 0;
    page_kind pages = page_kind::automatic;
    lock_policy lock = lock_policy::required;
    fork_policy on_fork = fork_policy::exclude;
    core_dump_policy core_dump = core_dump_policy::exclude;
    /// NUMA node to take memory from (preferred, not strict: strict invites the OOM killer);
    /// -1: the node that the calling thread runs on.
    int numa_node = -1;
    /// In errors, and in /proc/self/maps where the kernel can. At most 63 characters are kept.
    const char* name = "resident";
    /// Called on the constructing or growing thread at the start and after each step of 2 MiB (one
    /// page where pages are larger). What it throws abandons the set-up, completely unwound.
    std::function<void(const arena_progress&)> progress{};
    background_growth growth{};
};

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
    bool resident = false;          ///< every page is in RAM, and locked unless locking is off
    std::size_t size = 0;           ///< bytes proved: capacity and bookkeeping
    std::size_t rss = 0;            ///< bytes in RAM, by smaps (reserved huge pages included)
    std::size_t locked = 0;         ///< bytes pinned, by smaps (reserved huge pages included)
    std::size_t huge = 0;           ///< bytes in huge pages of either kind, by smaps
    std::uint64_t write_faults = 0; ///< faults that writing to each page made; 0 when resident
};

namespace detail {
class arena_state;
struct built_arena {
    arena_state* state;
};
} // namespace detail

/// One contiguous address range, of which a prefix is resident, handed out in runs of granules.
///
///     one reservation
///     +-------+-------------+-------+---------------------+- - - - - - - - -+-------+
///     | guard | bookkeeping | guard | capacity (resident) | to max_capacity | guard |
///     +-------+-------------+-------+---------------------+- - - - - - - - -+-------+
///               locked, populated     locked, populated     inaccessible
///
/// Guards are inaccessible pages. Bookkeeping is out of band: overflowing a run cannot reach it.
///
/// Runs are found by two-level segregated fit (Masmano et al., "TLSF: A New Dynamic Memory
/// Allocator for Real-Time Systems", ECRTS 2004): allocation and deallocation take a bounded number
/// of instructions, make no system call and no page fault, and coalesce at once.
///
/// Threads: every member may be called from any thread at any time, except construction and
/// destruction. allocate and deallocate hold a priority-inheritance mutex around a constant-time
/// section: where two threads meet there, one of them waits in the kernel for that long.
///
/// An arena neither moves nor copies: pools and containers point at it.
class arena final : public std::pmr::memory_resource {
public:
    /// Unit of bookkeeping: every run starts at a multiple of this and is a multiple of this long.
    static constexpr std::size_t granule_size = 4_KiB;

    /// Effects: reserves max_capacity, makes capacity resident and proves it. Raises the soft
    /// memlock limit towards the hard one if that is needed.
    /// Throws: `resident::error` if and only if that cannot be done as the options ask; then
    /// nothing is left mapped or locked. In a build without exceptions: prints the error and
    /// aborts. Complexity: linear in capacity. Not real-time safe.
    explicit arena(const arena_options& options = {});

    /// The same, for code without exceptions: fails if and only if the constructor would throw.
    static result<arena> create(const arena_options& options = {});

    /// Effects: unmaps everything; in a forked child: nothing.
    /// The behavior is undefined if memory of this arena is used afterwards.
    ~arena() override;

    arena(const arena&) = delete;
    arena& operator=(const arena&) = delete;
    explicit arena(detail::built_arena built) noexcept; ///< used by create() alone

    /// Bytes that an arena of these options charges to RLIMIT_MEMLOCK: capacity and bookkeeping.
    /// Requires: valid options. Reserved huge pages are not charged (see kernel facts in docs).
    [[nodiscard]] static std::size_t memlock_needed(const arena_options& options) noexcept;

    /// Returns: `bytes` rounded up to granules and aligned to `alignment`, or null, counted as a
    /// failure, if no free run fits or `alignment` is not a power of two. 0 bytes get one granule.
    /// Succeeds whenever `bytes`, plus what `alignment` exceeds a granule by, is at most
    /// statistics().largest_free_run; beyond that, a run less than 1/32 longer than asked may be
    /// passed over (good fit: the price of constant time).
    /// The inherited `allocate` is the same and throws `std::bad_alloc` instead of null.
    /// Complexity: constant. Real-time safe; see "Threads" above.
    [[nodiscard]] void* try_allocate(std::size_t bytes,
                                     std::size_t alignment = granule_size) noexcept;

    /// Effects: as the inherited `deallocate`, without being told the size.
    /// The behavior is undefined unless `run` was allocated here and not freed since; freeing what
    /// is not the start of a run in use is detected, reported on stderr, and aborts.
    /// Complexity: constant. Real-time safe.
    void deallocate_run(void* run) noexcept;

    /// Effects: makes `bytes` more resident, rounded up to 2 MiB (to the page where pages are
    /// larger), at most up to max_capacity; populated in steps of 2 MiB. The new memory has the
    /// page kind and the lock state that construction obtained.
    /// Returns: the bytes added, 0 if max_capacity was reached before.
    /// Throws: `resident::error` if and only if they cannot be made resident; then the arena is as
    /// before. Other threads may allocate meanwhile. Not real-time safe: it may block.
    std::size_t grow(std::size_t bytes);
    /// The same, without throwing.
    result<std::size_t> try_grow(std::size_t bytes);

    /// Whether `address` lies in the capacity. Constant; real-time safe.
    [[nodiscard]] bool owns(const void* address) const noexcept;

    /// The resident range [begin, begin + capacity). Constant; real-time safe.
    [[nodiscard]] std::span<std::byte> memory() const noexcept;

    /// Constant; real-time safe.
    [[nodiscard]] arena_statistics statistics() const noexcept;

    /// Effects: reads /proc/self/smaps and writes to one word of every page, atomically and without
    /// changing it, counting the faults of this thread.
    /// Fails if and only if /proc/self/smaps cannot be read. Not real-time safe: linear in
    /// capacity.
    [[nodiscard]] result<arena_proof> verify() const;

    /// The page map of memory(). Fails as `residency` does. Not real-time safe.
    [[nodiscard]] result<page_map> map() const;

    /// The pages obtained; never `automatic`. `base` where transparent huge pages were asked for
    /// and smaps showed none.
    [[nodiscard]] page_kind pages() const noexcept;

    /// Whether every byte is locked (reserved huge pages always are).
    [[nodiscard]] bool locked() const noexcept;

    /// Why locking failed under `best_effort`; null if it did not.
    [[nodiscard]] const error* degradation() const noexcept;

    [[nodiscard]] const char* name() const noexcept;

    /// Validates every invariant of the run bookkeeping. Returns: null if all hold, else which does
    /// not (static storage). Complexity: linear in granules; holds the lock meanwhile. For tests.
    [[nodiscard]] const char* check() const noexcept;

private:
    friend struct arena_inspector; // the tests' one door

    void* do_allocate(std::size_t bytes, std::size_t alignment) override;
    void do_deallocate(void* run, std::size_t bytes, std::size_t alignment) override;
    [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return this == &other;
    }

    detail::arena_state* state_;
    std::size_t generation_; ///< which process, counted in forks, built it
};

} // namespace resident
