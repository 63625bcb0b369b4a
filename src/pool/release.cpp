#include "pool/annotations.hpp"
#include "pool/pool_state.hpp"

namespace resident::detail {

void pool_state::release() noexcept {
    upstream_.release();
    if (closed_) { // nothing that is given back is in use any more
        annotate_pool_ended(this);
        annotate_pool_begun(this);
    }
    const std::uint32_t own_run = first_granule_at(this);
    std::uint32_t kept = none;
    // Giving a run back may merge it with what follows: go on from the last one kept.
    for (;;) {
        const std::uint32_t first = runs_.next_owned(owner_, kept);
        if (first == none)
            break;
        if (first == own_run)
            kept = first;
        else
            give_back(first);
    }
    begin_lists();
    runs_in_use_ = 0;
    requested_ = 0;
}

} // namespace resident::detail
