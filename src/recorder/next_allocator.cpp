#include "recorder/next_allocator.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>

#include <dlfcn.h>
#include <link.h>

namespace resident::recorder {

constinit next_allocator found{};
constinit std::atomic<bool> search_begun{false};

namespace {

constexpr std::size_t early_limit = std::size_t{64} * 1024;
alignas(16) constinit std::array<unsigned char, early_limit> early{};
constinit std::atomic<std::size_t> early_used{0};

template <class Function>
void find(Function& function, const char* name) noexcept {
    function = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

/// The addresses of one loaded library, or program.
struct address_range {
    std::uintptr_t begin = ~std::uintptr_t{0};
    std::uintptr_t end = 0;

    [[nodiscard]] bool has(const void* what) const noexcept {
        const auto at = reinterpret_cast<std::uintptr_t>(what);
        return at >= begin && at < end;
    }
};

/// Those that the functions found are in, but for the C library; and this library.
constinit std::array<address_range, 8> allocators{};
constinit std::size_t allocator_count = 0;

address_range range_of(const dl_phdr_info& loaded) noexcept {
    address_range range;
    for (unsigned at = 0; at < loaded.dlpi_phnum; ++at) {
        const auto& part = loaded.dlpi_phdr[at];
        if (part.p_type != PT_LOAD)
            continue;
        range.begin = std::min<std::uintptr_t>(range.begin, loaded.dlpi_addr + part.p_vaddr);
        range.end =
            std::max<std::uintptr_t>(range.end, loaded.dlpi_addr + part.p_vaddr + part.p_memsz);
    }
    return range;
}

int keep_if_allocator(dl_phdr_info* loaded, std::size_t, void* of_c_library) {
    const address_range range = range_of(*loaded);
    const std::array<const void*, 8> functions{reinterpret_cast<const void*>(is_next_allocator),
                                               reinterpret_cast<const void*>(found.malloc),
                                               reinterpret_cast<const void*>(found.calloc),
                                               reinterpret_cast<const void*>(found.realloc),
                                               reinterpret_cast<const void*>(found.free),
                                               reinterpret_cast<const void*>(found.posix_memalign),
                                               reinterpret_cast<const void*>(found.aligned_alloc),
                                               reinterpret_cast<const void*>(found.memalign)};
    const auto is_here = [&range](const void* function) { return range.has(function); };
    if (!range.has(of_c_library) && std::any_of(functions.begin(), functions.end(), is_here) &&
        allocator_count < allocators.size())
        allocators[allocator_count++] = range;
    return 0;
}

} // namespace

void find_next_allocator() noexcept {
    search_begun.store(true);
    next_allocator all{};
    find(all.malloc, "malloc");
    find(all.calloc, "calloc");
    find(all.realloc, "realloc");
    find(all.free, "free");
    find(all.posix_memalign, "posix_memalign");
    find(all.aligned_alloc, "aligned_alloc");
    find(all.memalign, "memalign");
    find(all.pthread_create, "pthread_create");
    found = all; // together: who got a block from one of them may come to another with it
    ::dl_iterate_phdr(keep_if_allocator, ::dlsym(RTLD_NEXT, "gnu_get_libc_version"));
}

bool is_next_allocator(const void* code) noexcept {
    return std::any_of(allocators.begin(), allocators.begin() + allocator_count,
                       [code](const address_range& each) { return each.has(code); });
}

void* allocate_early(std::size_t bytes) noexcept {
    if (bytes > early_limit)
        return nullptr;
    const std::size_t rounded = (bytes + 15) / 16 * 16;
    const std::size_t at = early_used.fetch_add(rounded == 0 ? 16 : rounded);
    return at + rounded <= early_limit ? early.data() + at : nullptr;
}

bool is_early(const void* block) noexcept {
    const auto* const at = static_cast<const unsigned char*>(block);
    return !std::less<>()(at, early.data()) && std::less<>()(at, early.data() + early_limit);
}

std::size_t early_bytes_from(const void* block) noexcept {
    return static_cast<std::size_t>(early.data() + early_limit -
                                    static_cast<const unsigned char*>(block));
}

} // namespace resident::recorder
