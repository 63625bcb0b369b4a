#include "jemalloc/jemalloc_heap.hpp"

#include "os/headroom.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>

namespace resident::detail {

using namespace jemalloc_interface;

namespace {

constexpr std::size_t state_bytes = arena::granule_size;
static_assert(sizeof(jemalloc_heap) <= state_bytes);

std::mutex heaps_mutex;         ///< guards the list
jemalloc_heap* heaps = nullptr; ///< all of them

template <class Value>
bool read_control(const char* name, Value& value) noexcept {
    std::size_t length = sizeof value;
    return RESIDENT_JEMALLOC(mallctl)(name, &value, &length, nullptr, 0) == 0;
}

/// "5.3.0-0-g54eaed1d8b56b1aa528be3bdd1877e59c56fa90c"
const char* version() noexcept {
    const char* text = nullptr;
    return read_control("version", text) && text != nullptr ? text : "unknown";
}

/// Whether jemalloc, asked by MALLOC_CONF, writes to the blocks that it hands out.
bool fills_blocks() noexcept {
    bool zero = false;
    const char* junk = nullptr;
    return (read_control("opt.zero", zero) && zero) ||
           (read_control("opt.junk", junk) && std::strcmp(junk, "false") != 0);
}

} // namespace

bool jemalloc_heap::control::find(const char* name, std::size_t place, unsigned arena) noexcept {
    length_ = mib_.size();
    if (RESIDENT_JEMALLOC(mallctlnametomib)(name, mib_.data(), &length_) != 0)
        return false;
    mib_[place] = arena;
    return true;
}

bool jemalloc_heap::control::invoke() const noexcept {
    return RESIDENT_JEMALLOC(mallctlbymib)(mib_.data(), length_, nullptr, nullptr, nullptr, 0) == 0;
}

std::size_t jemalloc_heap::control::read() const noexcept {
    std::size_t value = 0;
    std::size_t length = sizeof value;
    const int failed =
        RESIDENT_JEMALLOC(mallctlbymib)(mib_.data(), length_, &value, &length, nullptr, 0);
    return failed == 0 ? value : 0;
}

result<jemalloc_heap*> jemalloc_heap::build(arena& source, const jemalloc_options& options) {
    if (std::strncmp(version(), "5.", 2) != 0)
        return os::make_argument_error(
            source.name(), "jemalloc_resource needs jemalloc 5; the one at hand is %s", version());
    void* const place = source.try_allocate(state_bytes);
    if (place == nullptr)
        return os::make_argument_error(source.name(), "jemalloc_resource: the arena is full");
    auto* const made = new (place) jemalloc_heap(source, options);
    made->held_ = made->peak_held_ = state_bytes;
    if (!made->create_arena()) {
        const std::size_t longest = source.statistics().largest_free_run;
        source.deallocate_run(place);
        return os::make_argument_error(
            source.name(),
            "jemalloc_resource: jemalloc made no arena: it has 4094, and each takes %zu bytes for "
            "metadata, aligned to as much, where the longest free run is %zu bytes",
            jemalloc_resource::least_metadata, longest);
    }
    made->enroll();
    return made;
}

bool jemalloc_heap::create_arena() noexcept {
    unsigned index = 0;
    std::size_t length = sizeof index;
    extent_hooks* hooks = this;
    // NOLINTNEXTLINE(bugprone-sizeof-expression): the value is the pointer
    if (RESIDENT_JEMALLOC(mallctl)("arenas.create", &index, &length, &hooks, sizeof hooks) != 0)
        return false;
    flags_ = in_arena(index) | no_thread_cache;
    control dirty_decay;
    control muzzy_decay;
    using milliseconds = std::ptrdiff_t; // ssize_t, in truth
    static_assert(sizeof(milliseconds) == sizeof(std::size_t));
    const milliseconds decay = options_.keep_free_extents ? -1 : 0; // never, or at once
    const bool done = destroy_.find("arena.0.destroy", 1, index) &&
                      purge_.find("arena.0.purge", 1, index) &&
                      reset_.find("arena.0.reset", 1, index) &&
                      dirty_decay.find("arena.0.dirty_decay_ms", 1, index) &&
                      muzzy_decay.find("arena.0.muzzy_decay_ms", 1, index) &&
                      dirty_decay.write(decay) && muzzy_decay.write(decay) &&
                      // Reading them gives 0 if jemalloc was built without statistics.
                      small_in_use_.find("stats.arenas.0.small.allocated", 2, index) &&
                      large_in_use_.find("stats.arenas.0.large.allocated", 2, index);
    if (!done)
        destroy_.invoke();
    return done;
}

void jemalloc_heap::destroy(jemalloc_heap* doomed) noexcept {
    doomed->destroy_.invoke(); // as long as it has extents, nobody may pretend any there
    doomed->withdraw();
    arena& source = doomed->source_;
    doomed->~jemalloc_heap();
    source.deallocate_run(doomed);
}

void jemalloc_heap::enroll() noexcept {
    const std::lock_guard guard(heaps_mutex);
    const jemalloc_heap* other = heaps;
    while (other != nullptr && &other->source_ != &source_)
        other = other->next_;
    // An extent that only pretends to be must not lie where another heap has one. That heap has
    // touched the tables already.
    if (other == nullptr)
        touch_tables();
    next_ = heaps;
    heaps = this;
}

void jemalloc_heap::withdraw() noexcept {
    const std::lock_guard guard(heaps_mutex);
    jemalloc_heap** place = &heaps;
    while (*place != this)
        place = &(*place)->next_;
    *place = next_;
}

void jemalloc_heap::touch_tables() noexcept {
    constexpr std::size_t step = 2_MiB; // what a page of the table tells of, at least
    std::size_t page = 0;
    if (fills_blocks() || !read_control("arenas.page", page))
        return;
    const std::size_t large = 4 * page; // an extent of its own
    const std::span<std::byte> all = source_.memory();
    // The table begins anywhere in a page: the last step is the end's.
    for (std::size_t at = 0; at < all.size() + step; at += step) {
        pretended_ = all.data() + std::min(at, all.size());
        if (void* const block = RESIDENT_JEMALLOC(mallocx)(large, flags_))
            RESIDENT_JEMALLOC(dallocx)(block, no_thread_cache);
        trim(); // or the next one would get the same extent
    }
    pretended_ = nullptr;
}

void* jemalloc_heap::allocate(std::size_t bytes, std::size_t alignment) noexcept {
    const std::size_t asked = std::max<std::size_t>(bytes, 1);
    const int flags = flags_ | aligned_to_power(std::countr_zero(alignment));
    if (void* const block = RESIDENT_JEMALLOC(mallocx)(asked, flags)) [[likely]]
        return block;
    if (std::max(asked, alignment) <= source_.memory().size()) {
        trim();
        if (void* const block = RESIDENT_JEMALLOC(mallocx)(asked, flags))
            return block;
    }
    failures_.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
}

void jemalloc_heap::deallocate(void* block) noexcept {
    if (!source_.owns(block)) [[unlikely]]
        report_foreign(block);
    RESIDENT_JEMALLOC(dallocx)(block, no_thread_cache);
}

std::size_t jemalloc_heap::usable_size(const void* block) noexcept {
    return RESIDENT_JEMALLOC(sallocx)(block, 0);
}

void jemalloc_heap::report_foreign(const void* block) const noexcept {
    std::fprintf(stderr,
                 "resident: jemalloc_resource on arena \"%s\": deallocate(%p): not memory of this "
                 "arena\n",
                 source_.name(), block);
    std::abort();
}

void jemalloc_heap::trim() noexcept { purge_.invoke(); }

void jemalloc_heap::release() noexcept {
    reset_.invoke();
    trim();
}

jemalloc_statistics jemalloc_heap::statistics() const noexcept {
    std::uint64_t epoch = 1; // whatever is written has the figures gathered
    RESIDENT_JEMALLOC(mallctl)("epoch", nullptr, nullptr, &epoch, sizeof epoch);
    return {.in_use = small_in_use_.read() + large_in_use_.read(),
            .held = held_.load(std::memory_order_relaxed),
            .peak_held = peak_held_.load(std::memory_order_relaxed),
            .failures = failures_.load(std::memory_order_relaxed)};
}

} // namespace resident::detail
