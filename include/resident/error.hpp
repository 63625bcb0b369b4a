/// resident::error: why memory could not be made resident, with every number and the remedy.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>

namespace resident {

/// What the library was doing when it failed.
enum class operation : std::uint8_t {
    check_options,    ///< validating what the caller asked for
    check_headroom,   ///< asking limits, cgroups and RAM before any page is taken
    reserve,          ///< mmap of an address range
    make_accessible,  ///< mprotect of a chunk
    advise,           ///< madvise of a chunk
    bind_to_node,     ///< mbind of a chunk
    lock,             ///< mlock, mlock2 or mlockall
    unlock,           ///< munlock or munlockall
    populate,         ///< MADV_POPULATE_WRITE
    verify,           ///< proving residency
    start_thread,     ///< starting the background grower
    read_system_file, ///< reading below /proc or /sys
    set_limit,        ///< setrlimit
    prepare,          ///< mallopt, prctl and the like of prepare_process
    observe_faults,   ///< perf_event_open, sigaction
};

/// The true cause of a failure; the remedy is chosen by it.
enum class cause : std::uint8_t {
    invalid_argument, ///< the caller asked for something that cannot be
    memlock_limit,    ///< RLIMIT_MEMLOCK leaves too little
    not_permitted,    ///< RLIMIT_MEMLOCK is 0, or a privilege is missing
    memory_cgroup,    ///< a memory cgroup leaves too little
    physical_memory,  ///< RAM (MemAvailable) leaves too little
    overcommit,       ///< vm.overcommit_memory=2 refuses the commitment
    huge_pages,       ///< the pool of reserved huge pages is short
    address_space,    ///< RLIMIT_AS, or no gap of that length
    mapping_count,    ///< vm.max_map_count is reached
    unsupported,      ///< this kernel, or this machine, cannot do it
    not_resident,     ///< the proof of residency failed
    system,           ///< any other errno
};

/// Name of an enumerator as written above. Static storage; never null.
[[nodiscard]] const char* to_string(operation value) noexcept;
/// Name of an enumerator as written above. Static storage; never null.
[[nodiscard]] const char* to_string(cause value) noexcept;

/// Stands for "no limit" in every byte count that is a limit.
inline constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

/// Limit and usage of one memory cgroup, at one level of the hierarchy.
struct memory_cgroup_level {
    std::array<char, 128> path{}; ///< below the mount point; its tail if it is longer; 0-terminated
    std::size_t limit = unlimited; ///< bytes
    std::size_t usage = 0;         ///< bytes, without file pages that the kernel can drop at once
};

/// The locking limits and the memory left, as read at one moment. All in bytes.
struct headroom_snapshot {
    std::size_t memlock_soft_limit = unlimited;   ///< RLIMIT_MEMLOCK, soft
    std::size_t memlock_hard_limit = unlimited;   ///< RLIMIT_MEMLOCK, hard
    std::size_t locked = 0;                       ///< VmLck of this process
    bool can_exceed_memlock = false;              ///< CAP_IPC_LOCK is effective: no limit applies
    std::size_t available_memory = unlimited;     ///< MemAvailable of the machine
    bool strict_overcommit = false;               ///< vm.overcommit_memory is 2
    std::array<memory_cgroup_level, 8> cgroups{}; ///< innermost first
    std::size_t cgroup_count = 0;                 ///< levels that have a limit, at most 8
};

/// The plain data of an error. Every field that does not apply has its default.
struct error_details {
    resident::operation operation = operation::check_options;
    resident::cause cause = cause::system;
    int error_number = 0;           ///< errno of the failed call; 0 if no call was made
    std::size_t bytes_asked = 0;    ///< bytes that were to be mapped, locked or populated
    std::size_t huge_page_size = 0; ///< bytes, if reserved huge pages were asked for; else 0
    headroom_snapshot headroom{};   ///< as read when it failed
    std::array<char, 64> subject{}; ///< whose memory: an arena's name, "page_lock"; 0-terminated
    std::array<char, 192> reason{}; ///< one clause naming the value and the bound; 0-terminated
};

/// Thrown, or returned inside a `result`, when memory cannot be made or kept resident.
///
/// Holds all its text and data within itself: making, copying and printing one allocates nothing.
/// Safe to copy between threads; a const error may be read by many.
class error final : public std::exception {
public:
    /// Effects: composes what() and remedy() from `details`. Complexity: constant.
    explicit error(const error_details& details) noexcept;

    /// One paragraph: what was attempted for whom, errno, and the numbers asked, limited and
    /// taken, ending with the remedy. 0-terminated.
    [[nodiscard]] const char* what() const noexcept override { return message_.data(); }

    /// The remedy alone: the line for limits.d, systemd or the container, the sysctl, or the call
    /// to make, whichever mends the true cause where this process runs. 0-terminated; never empty.
    [[nodiscard]] const char* remedy() const noexcept { return remedy_.data(); }

    [[nodiscard]] const error_details& details() const noexcept { return details_; }
    [[nodiscard]] resident::operation operation() const noexcept { return details_.operation; }
    [[nodiscard]] resident::cause cause() const noexcept { return details_.cause; }
    [[nodiscard]] int error_number() const noexcept { return details_.error_number; }

private:
    error_details details_;
    std::array<char, 1024> remedy_{};
    std::array<char, 2560> message_{};
};

} // namespace resident
