/// Which pages of this process are kept locked, and by how many owners.
#pragma once

#include "os/headroom.hpp"
#include "os/kernel.hpp"

#include <cstddef>

namespace resident::os {

/// Counts owners per page, process-wide, because the kernel does not. Ranges are page-aligned.
/// Takes its memory from the kernel directly (never malloc). Threads: any. Not real-time safe.
///
/// A forked child inherits no lock: there the registry starts empty, in a new generation(). This
/// holds for fork(); a child of a bare clone system call sees the parent's counts.
class lock_registry {
public:
    /// Effects: counts the pages, then locks and populates them all (locking again is harmless and
    /// heals what others unlocked). Pages found locked by others when their count leaves 0 are
    /// marked, and stay locked when it returns to 0. Raises the soft memlock limit if need be.
    /// Refuses if and only if the range is not wholly mapped and accessible, check_headroom refuses
    /// the pages that are not locked or not populated yet, smaps cannot be read, or the kernel
    /// refuses memory for the counts or the lock itself; then no count and no lock has changed.
    /// Complexity: linear in the mappings of the process and in the pages.
    refusal lock(std::size_t address, std::size_t bytes, const char* subject) noexcept;
    /// Effects: uncounts the pages and unlocks those whose count falls to 0, unless marked. Pages
    /// that were unmapped meanwhile are only uncounted.
    void unlock(std::size_t address, std::size_t bytes) noexcept;

    /// Counts pages that their owner locks in its own way (an arena): no system call but for memory
    /// of the registry itself. Fails if and only if that cannot be had.
    outcome hold(std::size_t address, std::size_t bytes) noexcept;
    /// Uncounts the pages of as many calls of hold() as `holds` says, whose ranges together cover
    /// this range, each page once; their owner unlocks or unmaps them.
    void drop(std::size_t address, std::size_t bytes, std::size_t holds = 1) noexcept;

    /// Effects: munlockall, then locks again every page that is counted here. Pages stay in RAM
    /// meanwhile unless the kernel happens to be short of memory.
    /// Fails if and only if the kernel refuses the one or the other; every range is tried.
    outcome unlock_all_others() noexcept;

    /// Owners of the page at `address`, in this process.
    [[nodiscard]] std::size_t owners(std::size_t address) noexcept;
    /// Grows by one in each forked child.
    [[nodiscard]] std::size_t generation() noexcept;
};

/// The one registry of this process.
[[nodiscard]] lock_registry& locked_pages() noexcept;

} // namespace resident::os
