#include "recorder/next_allocator.hpp"

#include <array>
#include <atomic>
#include <functional>

#include <dlfcn.h>

namespace resident::recorder {
namespace {

constexpr std::size_t early_limit = std::size_t{64} * 1024;
alignas(16) constinit std::array<unsigned char, early_limit> early{};
constinit std::atomic<std::size_t> early_used{0};

constinit next_allocator found{};
enum class search : unsigned char { not_begun, going_on, done };
constinit std::atomic<search> progress{search::not_begun};

template <class Function>
void find(Function& function, const char* name) noexcept {
    function = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

void find_all() noexcept {
    find(found.free, "free");
    find(found.malloc, "malloc");
    find(found.calloc, "calloc");
    find(found.realloc, "realloc");
    find(found.posix_memalign, "posix_memalign");
    find(found.aligned_alloc, "aligned_alloc");
    find(found.memalign, "memalign");
    find(found.pthread_create, "pthread_create");
}

} // namespace

const next_allocator& next() noexcept {
    // The first call comes from the loader, before there is a second thread.
    if (progress.load(std::memory_order_acquire) == search::not_begun) [[unlikely]] {
        progress.store(search::going_on);
        find_all();
        progress.store(search::done);
    }
    return found;
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
