#include "pool/upstream_blocks.hpp"

#include <algorithm>
#include <new>

namespace resident::detail {

std::size_t upstream_blocks::lead(std::size_t alignment) noexcept {
    return std::max(sizeof(header), alignment); // both powers of two, so the block stays aligned
}

upstream_blocks::header* upstream_blocks::header_of(const void* block) noexcept {
    static_assert((sizeof(header) & (sizeof(header) - 1)) == 0);
    auto* const begin = static_cast<std::byte*>(const_cast<void*>(block));
    return reinterpret_cast<header*>(begin - sizeof(header));
}

void* upstream_blocks::allocate(std::size_t bytes, std::size_t alignment) {
    if (resource_ == nullptr)
        return nullptr;
    alignment = std::max(alignment, alignof(header));
    const std::size_t before = lead(alignment);
    if (bytes > ~std::size_t{0} - before)
        return nullptr;
    auto* const whole = static_cast<std::byte*>(resource_->allocate(before + bytes, alignment));
    auto* const made =
        new (whole + before - sizeof(header)) header{first_, nullptr, bytes, alignment};
    if (first_ != nullptr)
        first_->previous = made;
    first_ = made;
    in_use_ += bytes;
    return whole + before;
}

void* upstream_blocks::try_allocate(std::size_t bytes, std::size_t alignment) noexcept {
#if defined(__cpp_exceptions)
    try {
        return allocate(bytes, alignment);
    } catch (...) { // NOLINT: whatever it is, the request is refused
        return nullptr;
    }
#else
    return allocate(bytes, alignment);
#endif
}

void upstream_blocks::deallocate(void* block) noexcept {
    const header* const freed = header_of(block);
    if (freed->previous != nullptr)
        freed->previous->next = freed->next;
    else
        first_ = freed->next;
    if (freed->next != nullptr)
        freed->next->previous = freed->previous;
    in_use_ -= freed->bytes;
    const std::size_t before = lead(freed->alignment);
    resource_->deallocate(static_cast<std::byte*>(block) - before, before + freed->bytes,
                          freed->alignment);
}

void upstream_blocks::release() noexcept {
    while (first_ != nullptr)
        deallocate(first_ + 1);
}

bool upstream_blocks::owns(const void* block) const noexcept {
    for (const header* each = first_; each != nullptr; each = each->next)
        if (each + 1 == block)
            return true;
    return false;
}

const char* upstream_blocks::check() const noexcept {
    std::size_t in_use = 0;
    const header* previous = nullptr;
    for (const header* each = first_; each != nullptr; each = each->next) {
        if (each->previous != previous)
            return "a way back between blocks of upstream is wrong";
        if (each->alignment < alignof(header) || (each->alignment & (each->alignment - 1)) != 0)
            return "the alignment of a block of upstream is out of range";
        in_use += each->bytes;
        previous = each;
    }
    return in_use == in_use_ ? nullptr : "the count of bytes from upstream is wrong";
}

std::size_t upstream_blocks::size(const void* block) noexcept { return header_of(block)->bytes; }

} // namespace resident::detail
