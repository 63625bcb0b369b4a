#include "arena/chunk.hpp"

#include "arena/layout.hpp"
#include "os/features.hpp"
#include "os/headroom.hpp"
#include "os/kernel_constants.hpp"
#include "os/lock_registry.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>

namespace resident::detail {

namespace {

/// Writes one word of each base page, for kernels that cannot populate by advice. The pages are
/// new and nobody else's: there is nothing to preserve.
void touch(std::byte* begin, std::size_t bytes) noexcept {
    for (std::size_t offset = 0; offset < bytes; offset += os::page_size())
        *reinterpret_cast<volatile std::byte*>(begin + offset) = std::byte{0};
}

} // namespace

bool chunk::uses_reserved_huge_pages() const noexcept {
    return reserved_huge_page_size(plan_.pages) != 0;
}

bool chunk::needs_lock() const noexcept { return plan_.lock && !uses_reserved_huge_pages(); }

error chunk::failure(operation failed, os::outcome answer) const noexcept {
    return os::make_error(failed, answer.error_number(), size_, plan_.name,
                          reserved_huge_page_size(plan_.pages));
}

chunk::~chunk() {
    if (kept_ || !touched_)
        return;
    if (held_)
        os::locked_pages().drop(address_of(begin_), size_);
    os::kernel& kernel = os::system();
    // One call undoes pages, locks, advice and protection at once. Not over reserved huge pages:
    // only another kind of mapping could take their place.
    if (!uses_reserved_huge_pages() &&
        kernel.map(begin_, size_, os::no_access, os::reserve_over_flags)) {
        (void)kernel.unlock(begin_, size_); // MCL_FUTURE has locked it again
        return;
    }
    // Piece by piece, what can be undone without a new mapping.
    (void)kernel.unlock(begin_, size_);
    (void)kernel.advise(begin_, size_, os::discard_advice);
    (void)kernel.protect(begin_, size_, os::no_access);
}

std::optional<error> chunk::make_resident(const chunk_progress& progress) {
    if (size_ == 0)
        return std::nullopt;
    if (!uses_reserved_huge_pages()) {
        const os::refusal refusal = os::check_headroom(plan_.lock ? size_ : 0, size_);
        if (refusal.refused)
            return os::make_refusal_error(refusal, plan_.name);
    }
    touched_ = true;
    if (auto failed = open())
        return failed;
    if (auto failed = advise())
        return failed;
    if (auto failed = bind())
        return failed;
    if (auto failed = hold())
        return failed;
    if (auto failed = lock())
        return failed;
    if (auto failed = populate(progress))
        return failed;
    if (auto failed = leave_alone())
        return failed;
    return prove();
}

std::optional<error> chunk::open() noexcept {
    const os::outcome opened = os::system().protect(begin_, size_, os::read_write);
    if (!opened)
        return failure(operation::make_accessible, opened);
    return std::nullopt;
}

std::optional<error> chunk::advise() noexcept {
    os::kernel& kernel = os::system();
    if (auto failed = advise_huge_pages())
        return failed;
    // EINVAL: a kernel without KSM, hence nothing that could merge the pages.
    os::outcome advised = kernel.advise(begin_, size_, os::unmergeable_advice);
    if (!advised && advised.error_number() != EINVAL)
        return failure(operation::advise, advised);
    if (plan_.on_fork != fork_policy::inherit) {
        const bool wipe = plan_.on_fork == fork_policy::wipe;
        advised = kernel.advise(begin_, size_,
                                wipe ? os::wipe_on_fork_advice : os::exclude_from_fork_advice);
        if (!advised)
            return failure(operation::advise, advised);
    }
    if (plan_.core_dump == core_dump_policy::exclude) {
        advised = kernel.advise(begin_, size_, os::exclude_from_dump_advice);
        if (!advised)
            return failure(operation::advise, advised);
    }
    // A kernel that cannot name a mapping is as good.
    (void)kernel.name_mapping(begin_, size_, plan_.name);
    return std::nullopt;
}

std::optional<error> chunk::advise_huge_pages() noexcept {
    if (uses_reserved_huge_pages())
        return std::nullopt;
    const bool wanted = plan_.pages == page_kind::transparent_huge;
    const os::outcome advised =
        os::system().advise(begin_, size_, wanted ? os::huge_page_advice : os::no_huge_page_advice);
    if (advised)
        return std::nullopt;
    // EINVAL: a kernel without transparent huge pages. Base pages are then what there is.
    const bool matters = wanted && plan_.pages_are_required;
    if (advised.error_number() == EINVAL && !matters)
        return std::nullopt;
    return failure(operation::advise, advised);
}

std::optional<error> chunk::bind() noexcept {
    if (plan_.numa_node < 0)
        return std::nullopt;
    const os::outcome bound =
        os::system().prefer_node(begin_, size_, static_cast<unsigned>(plan_.numa_node));
    bound_ = bound.error_number() == 0;
    // Containers often forbid mbind. Without a wish for a node that costs the protection from NUMA
    // balancing, where a machine has it; arena::numa_node() tells.
    if (!bound_ && plan_.node_is_required)
        return failure(operation::bind_to_node, bound);
    return std::nullopt;
}

std::optional<error> chunk::hold() noexcept {
    if (!needs_lock())
        return std::nullopt;
    // Before locking, so that an unlock_all_memory() of another thread cannot come between.
    const os::outcome counted = os::locked_pages().hold(address_of(begin_), size_);
    if (!counted)
        return failure(operation::reserve, counted);
    held_ = true;
    return std::nullopt;
}

std::optional<error> chunk::lock() noexcept {
    if (!needs_lock())
        return std::nullopt;
    const os::outcome locked = os::system().lock_on_fault(begin_, size_);
    if (locked)
        return std::nullopt;
    // ENOSYS: before Linux 4.4. EPERM: perhaps a sandbox that knows mlock alone. populate() then
    // locks as it goes, and meets the error if there is one.
    locks_on_fault_ = locked.error_number() != ENOSYS && locked.error_number() != EPERM;
    if (locks_on_fault_)
        return failure(operation::lock, locked);
    return std::nullopt;
}

std::optional<error> chunk::populate(const chunk_progress& progress) {
    const std::size_t step = data_unit(plan_.pages);
    const bool can_advise = os::can_populate_write(); // Linux 5.14
    const bool by_locking = needs_lock() && !(locks_on_fault_ && can_advise);
    const bool by_advice = can_advise && !by_locking;
    // Touching a reserved huge page that is not there is SIGBUS; only the advice answers instead.
    if (uses_reserved_huge_pages() && !by_advice)
        return failure(operation::populate, os::outcome::failure(ENOSYS));
    if (progress)
        progress(0);
    for (std::size_t done = 0; done < size_;) {
        const std::size_t bytes = std::min(step, size_ - done);
        if (!uses_reserved_huge_pages()) {
            const os::refusal refusal = os::check_populate_headroom(bytes);
            if (refusal.refused)
                return os::make_refusal_error(refusal, plan_.name);
        }
        const os::outcome populated = populate_step(begin_ + done, bytes, by_advice);
        if (!populated)
            return failure(by_locking ? operation::lock : operation::populate, populated);
        done += bytes;
        if (progress)
            progress(done);
    }
    return std::nullopt;
}

os::outcome chunk::populate_step(std::byte* begin, std::size_t bytes, bool by_advice) noexcept {
    os::kernel& kernel = os::system();
    if (by_advice)
        return kernel.advise(begin, bytes, os::populate_write_advice);
    if (needs_lock())
        return kernel.lock(begin, bytes);
    touch(begin, bytes);
    return os::outcome::success();
}

std::optional<error> chunk::leave_alone() noexcept {
    if (plan_.pages != page_kind::transparent_huge)
        return std::nullopt;
    // khugepaged would otherwise merge pages later, which faults. EINVAL: there is none.
    const os::outcome advised = os::system().advise(begin_, size_, os::no_huge_page_advice);
    if (!advised && advised.error_number() != EINVAL)
        return failure(operation::advise, advised);
    return std::nullopt;
}

std::optional<error> chunk::prove() noexcept {
    std::uint64_t faults = 0;
    // The kernel may move a page just now (compaction): one fault, gone the next time.
    constexpr int attempts = 3;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        const os::outcome counted = count_write_faults(begin_, size_, faults);
        if (!counted)
            return failure(operation::verify, counted);
        // Under `inherit` a fork of another thread makes faults at any time.
        if (faults == 0 || plan_.on_fork == fork_policy::inherit)
            return std::nullopt;
    }
    error_details details = failure(operation::verify, os::outcome::success()).details();
    details.cause = cause::not_resident;
    std::snprintf(details.reason.data(), details.reason.size(),
                  "writing to every page of %zu bytes made %llu faults, %d times over", size_,
                  static_cast<unsigned long long>(faults), attempts);
    return error(details);
}

} // namespace resident::detail
