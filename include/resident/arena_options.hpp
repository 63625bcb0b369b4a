/// How a resident::arena is to be built.
#pragma once

#include "resident/size_literals.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace resident {

/// The pages an arena is made of.
enum class page_kind : std::uint8_t {
    automatic, ///< reserved huge pages of 2 MiB, if the pool has enough for max_capacity; else
               ///< transparent huge, else base pages
    base,      ///< 4 KiB on x86-64
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

/// What a forked child finds at the arena's addresses. In the parent, writing after a fork never
/// faults under `exclude` and `wipe`; under `inherit` it does, once a page. Whatever the policy,
/// the child's arena object refuses every request (except that under `exclude` using it is
/// undefined), its deallocate does nothing, and destroying it is harmless: an arena is the parent's
/// alone.
enum class fork_policy : std::uint8_t {
    exclude, ///< nothing. The behavior is undefined if the child touches it: SIGSEGV, unless the
             ///< child has mapped something there by then
    wipe,    ///< zeros. Not with reserved huge pages
    inherit, ///< a copy to read, not locked. Not with reserved huge pages, where the parent's own
             ///< write after the fork could find the pool empty, which is SIGBUS
};

/// Whether a core dump holds the arena's content.
enum class core_dump_policy : std::uint8_t { exclude, include };

/// Name of an enumerator as written above. Static storage; never null.
[[nodiscard]] const char* to_string(page_kind value) noexcept;
[[nodiscard]] const char* to_string(lock_policy value) noexcept;
[[nodiscard]] const char* to_string(fork_policy value) noexcept;
[[nodiscard]] const char* to_string(core_dump_policy value) noexcept;

/// How far a set-up has come; in bytes.
struct arena_progress {
    std::size_t populated = 0;
    std::size_t total = 0;
};

/// A thread of normal priority that keeps free memory ahead of demand. It may run on the processors
/// of the thread that builds the arena: build it before pinning that thread to an isolated one.
struct background_growth {
    std::size_t keep_free = 0; ///< bytes; grow when less is free. 0: no such thread
    /// How often it looks, 1 ms to 1 h: `allocate` never wakes it. After a growth that is refused
    /// it waits sixteen times as long.
    std::chrono::milliseconds poll_interval{10};
};

/// 4 MiB: with its bookkeeping well inside the 8 MiB that an ordinary user may lock by default.
inline constexpr std::size_t default_arena_capacity = 4_MiB;

/// How to build an arena. Every field may be left out.
struct arena_options {
    /// Bytes to make resident now. A multiple of `arena::granule_size`, and of the huge page for
    /// `huge_2M` and `huge_1G`; at least one of them and at most `arena::max_supported_capacity`.
    std::size_t capacity = default_arena_capacity;
    /// Bytes of address space to reserve for growth, same multiples; 0 means `capacity`.
    std::size_t max_capacity = 0;
    page_kind pages = page_kind::automatic;
    lock_policy lock = lock_policy::required;
    fork_policy on_fork = fork_policy::exclude;
    core_dump_policy core_dump = core_dump_policy::exclude;
    /// NUMA node to take memory from (preferred, not strict: strict invites the OOM killer);
    /// -1: the node that the constructing thread runs on, where the kernel permits (numa_node()).
    int numa_node = -1;
    /// In errors, and in /proc/self/maps where the kernel can. At most 63 characters are kept.
    const char* name = "resident";
    /// Called on the constructing or growing thread at the start and after each step of 2 MiB (one
    /// page where pages are larger), never by the background grower. What it throws abandons the
    /// set-up, completely unwound, and is passed on. It must not call members of this arena: they
    /// may wait for the growth that waits for it.
    std::function<void(const arena_progress&)> progress{};
    background_growth growth{};
};

} // namespace resident
