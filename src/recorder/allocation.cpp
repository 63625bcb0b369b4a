// The functions of the allocator, as the program finds them: each calls the next one and records.

#include "recorder/next_allocator.hpp"
#include "recorder/recording.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

namespace resident::recorder {
namespace {

using trace::record_kind;

constexpr std::size_t too_much = ~std::size_t{0};

// `caller`: where the program called from.

/// The number is taken when the block is there: whoever had it before has freed it by then.
void note_allocated(recorded_call& call, const void* block, std::size_t bytes,
                    std::size_t alignment) noexcept {
    if (!call.begin_record())
        return;
    const std::uint64_t number = recorded_call::take_number();
    if (block == nullptr) {
        call.note(
            {.kind = record_kind::failed, .number = number, .last_number = number, .size = bytes});
        return;
    }
    call.note({.kind = alignment == 0 ? record_kind::allocate : record_kind::allocate_aligned,
               .number = number,
               .last_number = number,
               .address = reinterpret_cast<std::uintptr_t>(block),
               .size = bytes,
               .alignment_bits =
                   alignment == 0 ? 0U : static_cast<unsigned>(std::bit_width(alignment - 1))});
}

template <class Allocate>
void* allocate(std::size_t bytes, std::size_t alignment, const void* caller,
               Allocate how) noexcept {
    recorded_call call(caller);
    void* const block = how();
    note_allocated(call, block, bytes, alignment);
    return block;
}

/// The number is taken before: once the call has begun the block may be another's.
void release(void* block, const void* caller) noexcept {
    recorded_call call(caller);
    if (call.begin_record()) {
        const std::uint64_t number = recorded_call::take_number();
        call.note({.kind = record_kind::free,
                   .number = number,
                   .last_number = number,
                   .address = reinterpret_cast<std::uintptr_t>(block)});
    }
    next().free(block);
}

/// A number before, for giving up the old block, and one after, for having the new one.
void* reallocate(void* block, std::size_t bytes, const void* caller) noexcept {
    recorded_call call(caller);
    if (!call.begin_record())
        return next().realloc(block, bytes);
    const auto old_address = reinterpret_cast<std::uintptr_t>(block);
    const std::uint64_t number = recorded_call::take_number();
    recorded_call::call_with_number();
    void* const moved = next().realloc(block, bytes);
    if (!call.begin_record())
        return moved;
    if (moved != nullptr) {
        call.note({.kind = record_kind::reallocate,
                   .number = number,
                   .last_number = recorded_call::take_number(),
                   .address = reinterpret_cast<std::uintptr_t>(moved),
                   .old_address = old_address,
                   .size = bytes});
    } else if (bytes == 0) { // as free() does
        call.note({.kind = record_kind::free,
                   .number = number,
                   .last_number = number,
                   .address = old_address});
    } else {
        call.note(
            {.kind = record_kind::failed, .number = number, .last_number = number, .size = bytes});
    }
    return moved;
}

std::size_t round_to_page(std::size_t bytes) noexcept {
    const std::size_t page = os::system_page_size();
    return bytes > too_much - page ? too_much : (bytes + page - 1) / page * page;
}

void* allocate_aligned(std::size_t alignment, std::size_t bytes, const void* caller) noexcept {
    if (next().memalign == nullptr) {
        errno = ENOMEM;
        return nullptr;
    }
    return allocate(bytes, alignment, caller, [=] { return next().memalign(alignment, bytes); });
}

void* allocate_plain(std::size_t bytes, const void* caller) noexcept {
    if (next().malloc == nullptr) [[unlikely]]
        return allocate_early(bytes);
    return allocate(bytes, 0, caller, [=] { return next().malloc(bytes); });
}

/// With the lowest addresses of an early block comes whatever follows it: its size is not kept.
void* move_early(const void* block, std::size_t bytes, const void* caller) noexcept {
    void* const moved = allocate_plain(bytes, caller);
    if (moved != nullptr)
        std::memcpy(moved, block, std::min(bytes, early_bytes_from(block)));
    return moved;
}

void* resize(void* block, std::size_t bytes, const void* caller) noexcept {
    if (is_early(block)) [[unlikely]]
        return move_early(block, bytes, caller);
    if (block != nullptr)
        return reallocate(block, bytes, caller);
    if (next().realloc == nullptr) [[unlikely]]
        return allocate_early(bytes);
    return allocate(bytes, 0, caller, [=] { return next().realloc(nullptr, bytes); });
}

} // namespace
} // namespace resident::recorder

// The C library's own names for the parameters are its secret.
// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)
#define RESIDENT_INTERPOSED extern "C" __attribute__((visibility("default")))
#define RESIDENT_CALLER __builtin_return_address(0)

using namespace resident::recorder;

RESIDENT_INTERPOSED void* malloc(std::size_t bytes) noexcept {
    return allocate_plain(bytes, RESIDENT_CALLER);
}

RESIDENT_INTERPOSED void* calloc(std::size_t count, std::size_t each) noexcept {
    std::size_t bytes = 0;
    if (__builtin_mul_overflow(count, each, &bytes))
        bytes = too_much;
    if (next().calloc == nullptr) [[unlikely]]
        return allocate_early(bytes);
    return allocate(bytes, 0, RESIDENT_CALLER, [=] { return next().calloc(count, each); });
}

RESIDENT_INTERPOSED void free(void* block) noexcept {
    if (block == nullptr || is_early(block) || next().free == nullptr)
        return;
    release(block, RESIDENT_CALLER);
}

RESIDENT_INTERPOSED void* realloc(void* block, std::size_t bytes) noexcept {
    return resize(block, bytes, RESIDENT_CALLER);
}

RESIDENT_INTERPOSED void* reallocarray(void* block, std::size_t count, std::size_t each) noexcept {
    std::size_t bytes = 0;
    if (__builtin_mul_overflow(count, each, &bytes)) {
        recorded_call call(RESIDENT_CALLER);
        note_allocated(call, nullptr, too_much, 0);
        errno = ENOMEM;
        return nullptr;
    }
    return resize(block, bytes, RESIDENT_CALLER);
}

RESIDENT_INTERPOSED int posix_memalign(void** block, std::size_t alignment,
                                       std::size_t bytes) noexcept {
    if (next().posix_memalign == nullptr)
        return ENOMEM;
    recorded_call call(RESIDENT_CALLER);
    const int failure = next().posix_memalign(block, alignment, bytes);
    note_allocated(call, failure == 0 ? *block : nullptr, bytes, alignment);
    return failure;
}

RESIDENT_INTERPOSED void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
    if (next().aligned_alloc == nullptr)
        return allocate_aligned(alignment, bytes, RESIDENT_CALLER);
    return allocate(bytes, alignment, RESIDENT_CALLER,
                    [=] { return next().aligned_alloc(alignment, bytes); });
}

RESIDENT_INTERPOSED void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
    return allocate_aligned(alignment, bytes, RESIDENT_CALLER);
}

RESIDENT_INTERPOSED void* valloc(std::size_t bytes) noexcept {
    return allocate_aligned(resident::os::system_page_size(), bytes, RESIDENT_CALLER);
}

RESIDENT_INTERPOSED void* pvalloc(std::size_t bytes) noexcept {
    return allocate_aligned(resident::os::system_page_size(), round_to_page(bytes),
                            RESIDENT_CALLER);
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
