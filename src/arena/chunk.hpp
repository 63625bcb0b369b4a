/// Making a part of a reservation resident, in the order that was measured to give no fault later.
#pragma once

#include "os/kernel.hpp"
#include "resident/arena.hpp"

#include <cstddef>
#include <functional>
#include <optional>

namespace resident::detail {

/// How a chunk shall be made resident. One for an arena's bookkeeping, one for its data.
struct chunk_plan {
    page_kind pages = page_kind::base; ///< never `automatic`
    bool pages_are_required = true;    ///< without the advice for that kind it is an error
    bool lock = true;
    fork_policy on_fork = fork_policy::exclude;
    core_dump_policy core_dump = core_dump_policy::exclude;
    int numa_node = -1;            ///< to prefer; -1: the kernel's choice
    bool node_is_required = false; ///< an mbind that is refused is an error
    const char* name = "";
};

/// Told how many bytes of the chunk are populated; may be empty, may throw.
using chunk_progress = std::function<void(std::size_t populated)>;

/// A resident range within a reservation. Made inaccessible again when destroyed, unless kept:
/// an arena keeps its chunks and gives them back all at once, with the reservation.
///
/// The order of making one (docs/kernel.md): headroom; accessible; every advice and the NUMA node,
/// before any page exists; counted as locked, then locked on fault; populated step by step with the
/// headroom read again before each; no huge-page advice, so that khugepaged keeps away; proved by
/// writing.
class chunk {
public:
    chunk(const chunk&) = delete;
    chunk& operator=(const chunk&) = delete;
    /// Of `size` 0: a chunk that is resident as it is.
    chunk(std::byte* begin, std::size_t size, const chunk_plan& plan) noexcept
        : begin_(begin), size_(size), plan_(plan) {}
    ~chunk();

    /// Effects: makes the range, inaccessible so far, resident as planned. Once only.
    /// Fails if and only if that cannot be done; throws what `progress` throws. Either way the
    /// destructor restores the range.
    std::optional<error> make_resident(const chunk_progress& progress);

    void keep() noexcept { kept_ = true; }
    /// Whether locked_pages() counts it: one hold() to be dropped by whoever keeps the chunk.
    [[nodiscard]] bool is_held() const noexcept { return held_; }
    /// Whether it is bound to the planned node.
    [[nodiscard]] bool is_bound() const noexcept { return bound_; }

private:
    std::optional<error> open() noexcept;
    std::optional<error> advise() noexcept;
    std::optional<error> advise_huge_pages() noexcept;
    std::optional<error> bind() noexcept;
    std::optional<error> hold() noexcept;
    std::optional<error> lock() noexcept;
    std::optional<error> populate(const chunk_progress& progress);
    os::outcome populate_step(std::byte* begin, std::size_t bytes, bool by_advice) noexcept;
    std::optional<error> leave_alone() noexcept;
    std::optional<error> prove() noexcept;
    [[nodiscard]] error failure(operation failed, os::outcome answer) const noexcept;
    [[nodiscard]] bool uses_reserved_huge_pages() const noexcept;
    /// Whether the kernel's mlock has to be called at all: reserved huge pages never swap.
    [[nodiscard]] bool needs_lock() const noexcept;

    std::byte* begin_;
    std::size_t size_;
    chunk_plan plan_;
    bool touched_ = false;
    bool bound_ = false;
    bool held_ = false;
    bool kept_ = false;
    bool locks_on_fault_ = true;
};

/// Writes to one word of every page without changing it, and counts the faults that makes.
/// Fails if and only if faults cannot be counted.
os::outcome count_write_faults(std::byte* begin, std::size_t bytes, std::uint64_t& faults) noexcept;

/// What smaps and a write pass say of [begin, begin + bytes).
/// Fails if and only if smaps cannot be read or faults not be counted.
os::outcome prove_resident(std::byte* begin, std::size_t bytes, bool locked,
                           arena_proof& proof) noexcept;

/// A proof of both; resident if and only if both are.
[[nodiscard]] arena_proof operator+(const arena_proof& left, const arena_proof& right) noexcept;

} // namespace resident::detail
