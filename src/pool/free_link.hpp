/// Reading the links of free blocks, which are hidden where tools watch.
#pragma once

#include "pool/annotations.hpp"
#include "resident/detail/pool_front.hpp"

namespace resident::detail {

/// Returns: what lies at the begin of a block, whether it is hidden or not; afterwards Valgrind
/// takes it for hidden. Requires: a block that is free.
__attribute__((no_sanitize("address"))) inline free_block
read_link(const free_block* block) noexcept {
#if RESIDENT_MEMCHECK
    annotate_opened(block, sizeof(free_block));
#endif
    const free_block link{block->next, block->room};
#if RESIDENT_MEMCHECK
    annotate_hidden(block, sizeof(free_block));
#endif
    return link;
}

/// Effects: a block that is handed out does not look like a free one, whatever lay there before, to
/// is_link(). Requires: a block that is hidden.
__attribute__((no_sanitize("address"))) inline void forget_link(free_block* block) noexcept {
#if RESIDENT_MEMCHECK
    annotate_opened(block, sizeof(free_block));
#endif
    block->next = nullptr;
    block->room = 0;
#if RESIDENT_MEMCHECK
    annotate_hidden(block, sizeof(free_block));
#endif
}

} // namespace resident::detail
