/// Where jemalloc's extents come from and go to: the half of the heap that jemalloc calls.
#include "jemalloc/jemalloc_heap.hpp"

#include <algorithm>
#include <cstring>

namespace resident::detail {

// There are none to commit, decommit or purge: what is resident stays so.

jemalloc_heap::jemalloc_heap(arena& source, const jemalloc_options& options) noexcept
    : extent_hooks{.allocate = allocate_extent,
                   .deallocate = deallocate_extent,
                   .destroy = destroy_extent,
                   .commit = nullptr,
                   .decommit = nullptr,
                   .purge_lazily = nullptr,
                   .purge = nullptr,
                   .split = split_extent,
                   .merge = merge_extents},
      source_(source), runs_(arena_access::runs(source)), options_(options) {}

// NOLINTBEGIN(readability-non-const-parameter): as jemalloc declares it
void* jemalloc_heap::allocate_extent(extent_hooks* hooks, void* new_address, std::size_t bytes,
                                     std::size_t alignment, bool* zero, bool* commit,
                                     unsigned) noexcept {
    // NOLINTEND(readability-non-const-parameter)
    // Only what is wanted ahead of demand is wanted uncommitted: 2 MiB and more at a time, of which
    // jemalloc would keep the rest for as long as its arena lives. Refused here, it comes again for
    // as much as it needs. What is to extend another extent, at an address, does as well elsewhere.
    if (new_address != nullptr || !*commit)
        return nullptr;
    void* const extent = heap_of(hooks).serve(bytes, alignment);
    if (extent != nullptr && *zero)
        std::memset(extent, 0, bytes);
    return extent;
}

void* jemalloc_heap::serve(std::size_t bytes, std::size_t alignment) noexcept {
    if (pretended_ != nullptr && alignment < jemalloc_resource::least_metadata)
        return place_pretended(bytes, alignment);
    void* const run = runs_.allocate(bytes, alignment);
    if (run == nullptr)
        return nullptr;
    const std::size_t held = held_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    std::size_t peak = peak_held_.load(std::memory_order_relaxed);
    while (peak < held &&
           !peak_held_.compare_exchange_weak(peak, held, std::memory_order_relaxed)) {
    }
    return run;
}

/// Moved back where it would reach beyond the end.
void* jemalloc_heap::place_pretended(std::size_t bytes, std::size_t alignment) const noexcept {
    const std::span<std::byte> all = source_.memory();
    if (bytes > all.size())
        return nullptr;
    std::byte* const place = std::min(pretended_, all.data() + (all.size() - bytes));
    std::byte* const aligned = place - reinterpret_cast<std::uintptr_t>(place) % alignment;
    return aligned < all.data() ? nullptr : aligned;
}

void jemalloc_heap::take_back(void* address, std::size_t bytes) noexcept {
    if (pretended_ != nullptr)
        return;
    runs_.deallocate(address, bytes);
    held_.fetch_sub(bytes, std::memory_order_relaxed);
}

bool jemalloc_heap::deallocate_extent(extent_hooks* hooks, void* address, std::size_t bytes, bool,
                                      unsigned) noexcept {
    heap_of(hooks).take_back(address, bytes);
    return false;
}

void jemalloc_heap::destroy_extent(extent_hooks* hooks, void* address, std::size_t bytes, bool,
                                   unsigned) noexcept {
    heap_of(hooks).take_back(address, bytes);
}

bool jemalloc_heap::split_extent(extent_hooks* hooks, void* address, std::size_t,
                                 std::size_t first_bytes, std::size_t, bool, unsigned) noexcept {
    return !heap_of(hooks).runs_.split(address, first_bytes);
}

bool jemalloc_heap::merge_extents(extent_hooks* hooks, void* first, std::size_t, void* second,
                                  std::size_t, bool, unsigned) noexcept {
    return !heap_of(hooks).runs_.join(first, second);
}

} // namespace resident::detail
