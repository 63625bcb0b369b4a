#include "arena/chunk.hpp"

#include "arena/layout.hpp"
#include "os/features.hpp"
#include "os/headroom.hpp"
#include "os/lock_registry.hpp"
#include "os/memory_constants.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstdio>

namespace resident::detail {

namespace {

std::uintptr_t address_of(const std::byte* pointer) noexcept {
    return reinterpret_cast<std::uintptr_t>(pointer);
}

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
    // One call undoes pages, locks, advice and protection at once.
    if (kernel.map(begin_, size_, os::no_access, os::reserve_over_flags)) {
        (void)kernel.unlock(begin_, size_);
        return;
    }
    // Refused (out of mappings): piece by piece, what can be undone without a new mapping.
    (void)kernel.unlock(begin_, size_);
    (void)kernel.advise(begin_, size_, os::discard_advice);
    (void)kernel.protect(begin_, size_, os::no_access);
}

std::optional<error> chunk::make_resident(const chunk_progress& progress) {
    if (!uses_reserved_huge_pages()) {
        const os::refusal refusal = os::check_headroom(plan_.lock ? size_ : 0, size_);
        if (refusal.refused)
            return os::make_refusal_error(refusal, plan_.name);
    }
    touched_ = true;
    if (auto failed = uses_reserved_huge_pages() ? open_huge_pages() : open_base_pages())
        return failed;
    if (auto failed = advise())
        return failed;
    if (auto failed = bind())
        return failed;
    if (auto failed = lock())
        return failed;
    if (auto failed = populate(progress))
        return failed;
    if (auto failed = hold())
        return failed;
    return prove();
}

std::optional<error> chunk::open_base_pages() noexcept {
    const os::outcome opened = os::system().protect(begin_, size_, os::read_write);
    if (!opened)
        return failure(operation::make_accessible, opened);
    return std::nullopt;
}

std::optional<error> chunk::open_huge_pages() noexcept {
    const int shift = std::countr_zero(reserved_huge_page_size(plan_.pages));
    const os::outcome opened = os::system().map(
        begin_, size_, os::read_write, os::huge_pages_over_flags | shift << os::huge_page_shift);
    if (!opened)
        return failure(operation::reserve, opened);
    return std::nullopt;
}

std::optional<error> chunk::advise() noexcept {
    os::kernel& kernel = os::system();
    if (!uses_reserved_huge_pages())
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
    os::kernel& kernel = os::system();
    const bool required = plan_.numa_node >= 0;
    unsigned node = static_cast<unsigned>(plan_.numa_node);
    if (!required) {
        const os::outcome local = kernel.current_node();
        if (!local)
            return std::nullopt; // a kernel without NUMA
        node = static_cast<unsigned>(local.value());
    }
    const os::outcome bound = kernel.prefer_node(begin_, size_, node);
    // Containers often forbid mbind; without a wish for a node that costs nothing but the
    // protection from NUMA balancing, on machines that have it.
    if (!bound && required)
        return failure(operation::bind_to_node, bound);
    return std::nullopt;
}

std::optional<error> chunk::lock() noexcept {
    if (!needs_lock())
        return std::nullopt;
    const os::outcome locked = os::system().lock_on_fault(begin_, size_);
    if (locked)
        return std::nullopt;
    if (locked.error_number() != ENOSYS)
        return failure(operation::lock, locked);
    locks_on_fault_ = false; // before Linux 4.4: populate() locks as it goes
    return std::nullopt;
}

std::optional<error> chunk::populate(const chunk_progress& progress) {
    const std::size_t step = std::max(step_size, reserved_huge_page_size(plan_.pages));
    const bool by_advice = os::can_populate_write() && locks_on_fault_;
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
            return failure(by_advice || !needs_lock() ? operation::populate : operation::lock,
                           populated);
        done += bytes;
        if (progress)
            progress(done);
    }
    // khugepaged would otherwise merge pages later, which faults. EINVAL: there is none.
    if (plan_.pages == page_kind::transparent_huge) {
        const os::outcome advised = os::system().advise(begin_, size_, os::no_huge_page_advice);
        if (!advised && advised.error_number() != EINVAL)
            return failure(operation::advise, advised);
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

std::optional<error> chunk::hold() noexcept {
    if (!needs_lock())
        return std::nullopt;
    const os::outcome counted = os::locked_pages().hold(address_of(begin_), size_);
    if (!counted)
        return failure(operation::reserve, counted);
    held_ = true;
    return std::nullopt;
}

std::optional<error> chunk::prove() noexcept {
    // Twice at most: the kernel may move a page just now (compaction), which is one fault.
    for (int attempt = 0; attempt < 2; ++attempt) {
        const os::outcome read = prove_resident(begin_, size_, plan_.lock, proof_);
        if (!read)
            return failure(operation::read_system_file, read);
        if (proof_.resident)
            return std::nullopt;
    }
    error_details details = failure(operation::verify, os::outcome::success()).details();
    details.cause = cause::not_resident;
    std::snprintf(details.reason.data(), details.reason.size(),
                  "of %zu bytes %zu are in RAM and %zu locked, and writing made %llu faults",
                  proof_.size, proof_.rss, proof_.locked,
                  static_cast<unsigned long long>(proof_.write_faults));
    return error(details);
}

} // namespace resident::detail
