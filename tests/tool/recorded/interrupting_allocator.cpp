// An allocator that stops amid a call for a signal handler, so that a test need not wait until one
// comes there by chance; and that can be called from one. As some do, it comes to one of its
// functions from another by name.

#include "tool/recorded/interrupting_allocator.hpp"

#include <array>
#include <atomic>
#include <cstddef>

#include <signal.h>

// The C library's own, by the names that are not replaced.
extern "C" void* __libc_malloc(std::size_t);
extern "C" void* __libc_realloc(void*, std::size_t);
extern "C" void __libc_free(void*);

volatile int calls_until_interrupt = -1;

namespace {

/// What the tests ask for lies in one of these.
struct slot {
    alignas(64) std::array<unsigned char, 8128> bytes;
    std::atomic<bool> taken;
};
std::array<slot, 1024> slots;

void* take_slot() noexcept {
    for (slot& each : slots)
        if (!each.taken.exchange(true))
            return each.bytes.data();
    return nullptr;
}
slot* slot_of(void* block) noexcept {
    auto* const at = static_cast<slot*>(block);
    return at >= slots.data() && at < slots.data() + slots.size() ? at : nullptr;
}

void come_by() noexcept {
    if (calls_until_interrupt >= 0) {
        const int left = calls_until_interrupt;
        calls_until_interrupt = left - 1;
        if (left == 0)
            ::raise(SIGUSR1);
    }
}

} // namespace

extern "C" {

void* malloc(std::size_t bytes) noexcept {
    come_by();
    return bytes > 5000 && bytes < 8000 ? take_slot() : __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t each) noexcept {
    auto* const block = static_cast<volatile char*>(malloc(count * each));
    for (std::size_t at = 0; block != nullptr && at < count * each; ++at)
        block[at] = 0;
    return const_cast<char*>(block);
}
void* realloc(void* block, std::size_t bytes) noexcept {
    if (block == nullptr)
        return malloc(bytes); // by a jump, maybe: then malloc returns to who called this
    come_by();
    return slot_of(block) != nullptr ? block : __libc_realloc(block, bytes);
}
void free(void* block) noexcept {
    if (slot* const mine = slot_of(block))
        mine->taken.store(false);
    else
        __libc_free(block);
}

} // extern "C"
