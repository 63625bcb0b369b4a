#include "resident/page_lock.hpp"

#include "os/headroom.hpp"
#include "os/lock_registry.hpp"

#include <cstdint>
#include <limits>

namespace resident {

result<page_lock> page_lock::create(const void* address, std::size_t bytes) {
    page_lock lock;
    if (bytes == 0)
        return lock;
    const auto first_byte = reinterpret_cast<std::uintptr_t>(address);
    const std::size_t page = os::page_size();
    // The end of the last page must be an address too, so one page less than all is the bound.
    constexpr auto last = std::numeric_limits<std::uintptr_t>::max();
    if (first_byte > last - page || bytes > last - page - first_byte)
        return os::make_argument_error(
            "page_lock", "%zu bytes at %p reach beyond the address space", bytes, address);
    const std::uintptr_t begin = first_byte / page * page;
    const std::uintptr_t end = (first_byte + bytes + page - 1) / page * page;
    const os::refusal refusal = os::locked_pages().lock(begin, end - begin, "page_lock");
    if (refusal.refused)
        return error(refusal.details);
    lock.begin_ = reinterpret_cast<const void*>(begin);
    lock.bytes_ = end - begin;
    lock.generation_ = os::locked_pages().generation();
    return lock;
}

page_lock::page_lock(const void* address, std::size_t bytes) {
    result<page_lock> lock = create(address, bytes);
    if (!lock)
        os::raise(lock.error());
    swap(*lock);
}

page_lock::~page_lock() {
    if (locked())
        os::locked_pages().unlock(reinterpret_cast<std::uintptr_t>(begin_), bytes_);
}

void page_lock::swap(page_lock& other) noexcept {
    std::swap(begin_, other.begin_);
    std::swap(bytes_, other.bytes_);
    std::swap(generation_, other.generation_);
}

bool page_lock::locked() const noexcept {
    return bytes_ != 0 && generation_ == os::locked_pages().generation();
}

} // namespace resident
