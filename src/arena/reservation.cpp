#include "arena/reservation.hpp"

#include "arena/layout.hpp"
#include "os/kernel_constants.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdint>

namespace resident::detail {

namespace {

std::byte* at(std::uintptr_t address) noexcept {
    return reinterpret_cast<std::byte*>(address); // NOLINT(performance-no-int-to-ptr)
}

int flags_for(std::size_t huge_page_size) noexcept {
    if (huge_page_size == 0)
        return os::reserve_flags;
    return os::reserve_huge_flags | std::countr_zero(huge_page_size) << os::huge_page_shift;
}

} // namespace

reservation::~reservation() {
    if (mapped_size_ != 0)
        (void)os::system().unmap(mapped_, mapped_size_);
}

os::outcome reservation::make(const reservation_plan& plan, reservation& made) noexcept {
    const os::outcome at_once = make_at_once(plan, made);
    // Under MCL_FUTURE even inaccessible memory is charged to the memlock limit when it is mapped,
    // and EAGAIN is the answer when that is too much. (Huge pages are never charged.)
    return at_once.error_number() == EAGAIN && plan.huge_page_size == 0 ? make_in_steps(plan, made)
                                                                        : at_once;
}

os::outcome reservation::make_at_once(const reservation_plan& plan, reservation& made) noexcept {
    os::kernel& kernel = os::system();
    // Reserved huge pages are aligned to themselves by the kernel.
    const std::size_t slack = plan.alignment <= plan.huge_page_size ? 0 : plan.alignment;
    const std::size_t size = plan.guard + plan.size + plan.guard + slack;
    const os::outcome mapped =
        kernel.map(nullptr, size, os::no_access, flags_for(plan.huge_page_size));
    if (!mapped)
        return mapped;
    const std::uintptr_t begin = round_up(mapped.value() + plan.guard, plan.alignment);
    reservation complete(at(mapped.value()), size, at(begin));
    // Charged now under MCL_FUTURE; not any more after this. Without MCL_FUTURE it does nothing.
    const os::outcome uncharged = kernel.unlock(complete.mapped_, size);
    if (!uncharged)
        return uncharged;
    made = std::move(complete);
    return os::outcome::success();
}

os::outcome reservation::extend_in_steps(std::size_t size) noexcept {
    os::kernel& kernel = os::system();
    const std::size_t page = os::page_size();
    // One page a step fits if anything does; 2 MiB is five hundred times faster.
    std::size_t length = step_size;
    while (mapped_size_ < size) {
        std::byte* next = mapped_ + mapped_size_;
        length = std::min(length, size - mapped_size_);
        const os::outcome step = kernel.map(next, length, os::no_access, os::reserve_beside_flags);
        if (step.error_number() == EAGAIN && length > page) {
            length = round_up(length / 2, page);
            continue;
        }
        if (!step)
            return step;
        // Kernels before 4.17 take the address for a mere hint.
        if (step.value() != address_of(next)) {
            (void)kernel.unmap(at(step.value()), length);
            return os::outcome::failure(EEXIST);
        }
        mapped_size_ += length;
        const os::outcome uncharged = kernel.unlock(next, length);
        if (!uncharged)
            return uncharged;
    }
    return os::outcome::success();
}

os::outcome reservation::make_in_steps(const reservation_plan& plan, reservation& made) noexcept {
    os::kernel& kernel = os::system();
    const std::size_t page = os::page_size();
    // The kernel maps downwards, so a probe tells where free addresses begin to be found; what lies
    // below it is tried, ever further down each time something is in the way.
    const os::outcome probe = kernel.map(nullptr, page, os::no_access, os::reserve_flags);
    if (!probe)
        return probe;
    (void)kernel.unmap(at(probe.value()), page);

    constexpr int tries = 16;
    const std::size_t size = plan.guard + plan.size + plan.guard;
    std::uintptr_t below = probe.value();
    std::size_t distance = step_size;
    for (int attempt = 0; attempt < tries && below > size + plan.alignment; ++attempt) {
        const std::uintptr_t begin =
            (below - size + plan.guard) & ~(std::uintptr_t{plan.alignment} - 1);
        const std::uintptr_t first = begin - plan.guard;
        reservation growing(at(first), 0, at(begin));
        const os::outcome grown = growing.extend_in_steps(size);
        if (grown) {
            made = std::move(growing);
            return os::outcome::success();
        }
        if (grown.error_number() != EEXIST)
            return grown;
        below = first > distance ? first - distance : 0;
        distance *= 2;
    }
    return os::outcome::failure(ENOMEM);
}

} // namespace resident::detail
