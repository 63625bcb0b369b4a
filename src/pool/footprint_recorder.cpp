#include "pool/footprint_recorder.hpp"

#include "os/headroom.hpp"
#include "pool/upstream_blocks.hpp"

#include <algorithm>
#include <new>

namespace resident::detail {

namespace {

/// Below this no look at the machine's memory is worth its time.
constexpr std::size_t unquestioned = 16_MiB;

/// The header that the pool puts before each block of its upstream is none of the program's.
footprint_recorder::request as_made(std::size_t bytes, std::size_t alignment) noexcept {
    return {bytes - upstream_blocks::lead(alignment), alignment};
}

} // namespace

void* footprint_recorder::do_allocate(std::size_t bytes, std::size_t alignment) {
    const request made = as_made(bytes, alignment);
    note_allocation(made);
    check_headroom();
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
}

void footprint_recorder::do_deallocate(void* block, std::size_t bytes, std::size_t alignment) {
    const request made = as_made(bytes, alignment);
    --counts_.find(made)->second.in_use;
    total_.note_deallocation(made);
    std::pmr::new_delete_resource()->deallocate(block, bytes, alignment);
}

/// Looks whenever what is in use has doubled, for room to double it again.
void footprint_recorder::check_headroom() {
    const std::size_t in_use = total_.in_use();
    if (in_use < unquestioned || in_use / 2 < looked_at_)
        return;
    looked_at_ = in_use;
    const os::refusal refused = os::check_populate_headroom(in_use);
    if (!refused.refused)
        return;
    refusal_ = os::make_refusal_error(refused, "footprint");
#if defined(__cpp_exceptions)
    throw std::bad_alloc();
#else
    os::raise(*refusal_);
#endif
}

void footprint_recorder::note_allocation(const request& made) {
    count& alike = counts_[made];
    if (alike.peak == 0)
        alike.first = requests_;
    ++requests_;
    alike.peak = std::max(alike.peak, ++alike.in_use);
    total_.note_allocation(made);
}

} // namespace resident::detail
