#include "arena/reservation.hpp"

#include "arena/layout.hpp"
#include "os/memory_constants.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace resident::detail {

namespace {

std::byte* at(std::uintptr_t address) noexcept {
    return reinterpret_cast<std::byte*>(address); // NOLINT(performance-no-int-to-ptr)
}

} // namespace

reservation::~reservation() {
    if (size_ != 0)
        (void)os::system().unmap(mapped_, size_);
}

os::outcome reservation::make(std::size_t bytes, std::size_t offset, std::size_t alignment,
                              reservation& made) noexcept {
    const os::outcome at_once = make_at_once(bytes, offset, alignment, made);
    // Under MCL_FUTURE even inaccessible memory is charged to the memlock limit when it is mapped,
    // and EAGAIN is the answer when that is too much.
    return at_once.error_number() == EAGAIN ? make_in_steps(bytes, offset, alignment, made)
                                            : at_once;
}

os::outcome reservation::make_at_once(std::size_t bytes, std::size_t offset, std::size_t alignment,
                                      reservation& made) noexcept {
    os::kernel& kernel = os::system();
    const std::size_t length = bytes + alignment;
    const os::outcome mapped = kernel.map(nullptr, length, os::no_access, os::reserve_flags);
    if (!mapped)
        return mapped;
    const std::uintptr_t begin = round_up(mapped.value() + offset, alignment) - offset;
    reservation complete(at(mapped.value()), length, at(begin));
    // Charged now under MCL_FUTURE; not any more after this. Without MCL_FUTURE it does nothing.
    const os::outcome uncharged = kernel.unlock(complete.mapped_, length);
    if (!uncharged)
        return uncharged;
    made = std::move(complete);
    return os::outcome::success(begin);
}

os::outcome reservation::extend_in_steps(std::size_t bytes) noexcept {
    os::kernel& kernel = os::system();
    const std::size_t page = os::page_size();
    // One page a step fits if anything does; 2 MiB is five hundred times faster.
    std::size_t length = step_size;
    while (size_ < bytes) {
        std::byte* next = mapped_ + size_;
        length = std::min(length, bytes - size_);
        const os::outcome step = kernel.map(next, length, os::no_access, os::reserve_beside_flags);
        if (step.error_number() == EAGAIN && length > page) {
            length = round_up(length / 2, page);
            continue;
        }
        if (!step)
            return step;
        // Kernels before 4.17 take the address for a mere hint.
        if (step.value() != reinterpret_cast<std::uintptr_t>(next)) {
            (void)kernel.unmap(at(step.value()), length);
            return os::outcome::failure(EEXIST);
        }
        size_ += length;
        const os::outcome uncharged = kernel.unlock(next, length);
        if (!uncharged)
            return uncharged;
    }
    return os::outcome::success();
}

os::outcome reservation::make_in_steps(std::size_t bytes, std::size_t offset, std::size_t alignment,
                                       reservation& made) noexcept {
    os::kernel& kernel = os::system();
    const std::size_t page = os::page_size();
    // The kernel maps downwards, so a probe tells where free addresses end; what lies below it is
    // tried, further down each time something is in the way.
    const os::outcome probe = kernel.map(nullptr, page, os::no_access, os::reserve_flags);
    if (!probe)
        return probe;
    (void)kernel.unmap(at(probe.value()), page);

    constexpr int tries = 16;
    std::uintptr_t below = probe.value();
    for (int attempt = 0; attempt < tries && below > bytes + alignment; ++attempt) {
        const std::uintptr_t begin =
            ((below - bytes + offset) & ~(std::uintptr_t{alignment} - 1)) - offset;
        reservation growing(at(begin), 0, at(begin));
        const os::outcome grown = growing.extend_in_steps(bytes);
        if (grown) {
            made = std::move(growing);
            return os::outcome::success(begin);
        }
        if (grown.error_number() != EEXIST)
            return grown;
        below = begin;
    }
    return os::outcome::failure(ENOMEM);
}

} // namespace resident::detail
