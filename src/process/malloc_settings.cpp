#include "process/malloc_settings.hpp"

#include <cstdlib>

#ifdef __GLIBC__
#include <dlfcn.h>
#include <malloc.h>
#endif

namespace resident::detail {
namespace {

#ifdef __GLIBC__

/// The shared object that a name resolves to; null if unknown (a static program).
const void* object_defining(const char* name) noexcept {
    const void* const symbol = ::dlsym(RTLD_DEFAULT, name);
    Dl_info found{};
    return symbol != nullptr && ::dladdr(symbol, &found) != 0 ? found.dli_fbase : nullptr;
}

/// jemalloc, a sanitizer's runtime and others replace malloc, and glibc's settings do nothing then.
bool malloc_is_glibc_own() noexcept {
    return object_defining("malloc") == object_defining("gnu_get_libc_version");
}

bool set(int parameter, int value) noexcept {
    return malloc_is_glibc_own() && ::mallopt(parameter, value) == 1;
}

#endif

preparation_step step(std::string_view name, bool done) noexcept {
    return {name, done ? preparation_outcome::done : preparation_outcome::not_supported};
}

} // namespace

preparation_step keep_malloc_memory(std::string_view name) noexcept {
#ifdef __GLIBC__
    constexpr int never = -1;
    return step(name, set(M_TRIM_THRESHOLD, never) && set(M_MMAP_MAX, 0));
#else
    return step(name, false);
#endif
}

preparation_step use_single_malloc_arena(std::string_view name) noexcept {
#ifdef __GLIBC__
    return step(name, set(M_ARENA_MAX, 1));
#else
    return step(name, false);
#endif
}

} // namespace resident::detail
