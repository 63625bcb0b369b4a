/// Which pages of this process are kept locked, and by how many owners.
#pragma once

#include <cstddef>

#include "os/kernel.hpp"

namespace resident::os {

/// Counts owners per page, process-wide, because the kernel does not. Ranges are page-aligned.
/// Takes its memory from the kernel directly (never malloc). Threads: any. Not real-time safe.
///
/// A forked child inherits no lock: there the registry starts empty, in a new generation().
class lock_registry {
public:
    /// Effects: counts the pages, then locks and populates them all (locking again is harmless and
    /// heals what others unlocked). Pages found locked by others when their count leaves 0 are
    /// marked, and stay locked when it returns to 0.
    /// Fails if and only if counting or locking fails; then nothing has changed.
    outcome lock(std::size_t address, std::size_t bytes) noexcept;
    /// Effects: uncounts the pages and unlocks those whose count falls to 0, unless marked.
    void unlock(std::size_t address, std::size_t bytes) noexcept;

    /// Counts pages that their owner locks in its own way (an arena): no system call but for memory
    /// of the registry itself. Fails if and only if that cannot be had.
    outcome hold(std::size_t address, std::size_t bytes) noexcept;
    /// Uncounts pages of hold(); their owner unlocks or unmaps them.
    void drop(std::size_t address, std::size_t bytes) noexcept;

    /// Effects: munlockall, then locks again every page that is counted here.
    outcome unlock_all_others() noexcept;

    /// Owners of the page at `address`, in this process.
    [[nodiscard]] std::size_t owners(std::size_t address) noexcept;
    /// Grows by one in each forked child.
    [[nodiscard]] std::size_t generation() noexcept;
};

/// The one registry of this process.
[[nodiscard]] lock_registry& locked_pages() noexcept;

}  // namespace resident::os
