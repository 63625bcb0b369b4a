/// Blocks on their way from the threads that free them to whoever may.
#pragma once

#include "resident/detail/pool_front.hpp"

#include <atomic>

namespace resident::detail {

/// A stack that any thread puts blocks on, and one at a time takes them from.
///
///     newest_ -> [ newest | next ] -> [ block | in flight ]    [ older ] -> null
///                                            ^ its thread is between two instructions; soon ->
///                                            older
///
/// Handing a block in is one exchange, and then the link: wait-free, and whoever stops in between
/// delays the blocks behind, but no thread. The taker takes everything with one exchange, hands
/// the blocks out one by one, and stops at a link that is not there yet: it goes on from there.
/// A block cannot come twice into the way of an exchange, so there is nothing to be mistaken for
/// what it was before. Modelled in docs/models/inbox.pml.
class inbox {
public:
    /// Any thread. Requires: a block in use.
    void hand_in(void* block) noexcept;

    // One thread at a time.

    [[nodiscard]] bool is_empty() const noexcept {
        return taken_ == nullptr && newest_.load(std::memory_order_relaxed) == nullptr;
    }
    /// Returns: a block; null if there is none whose way is known.
    [[nodiscard]] void* take() noexcept;
    /// Makes the block that take() has just returned the next again. Requires: nothing was written
    /// to it since.
    void put_back(void* block) noexcept { taken_ = static_cast<free_block*>(block); }
    /// Effects: as new. Requires: nobody hands in.
    void forget() noexcept;

private:
    free_block* taken_ = nullptr; ///< not handed out so far
    alignas(64) std::atomic<free_block*> newest_{nullptr};
};

} // namespace resident::detail
