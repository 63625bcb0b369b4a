#include "pool/inbox.hpp"

#include <new>

namespace resident::detail {

namespace {

/// What a block leads to until its thread has linked it.
constinit free_block in_flight{};

} // namespace

void inbox::hand_in(void* block) noexcept {
    auto* const handed = new (block) free_block{&in_flight, 0};
    free_block* const before = newest_.exchange(handed, std::memory_order_acq_rel);
    __atomic_store_n(&handed->next, before, __ATOMIC_RELEASE);
}

void* inbox::take() noexcept {
    if (taken_ == nullptr) {
        if (newest_.load(std::memory_order_relaxed) == nullptr)
            return nullptr;
        taken_ = newest_.exchange(nullptr, std::memory_order_acquire);
    }
    free_block* const next = __atomic_load_n(&taken_->next, __ATOMIC_ACQUIRE);
    if (next == &in_flight)
        return nullptr;
    void* const block = taken_;
    taken_ = next;
    return block;
}

void inbox::forget() noexcept {
    taken_ = nullptr;
    newest_.store(nullptr, std::memory_order_relaxed);
}

} // namespace resident::detail
