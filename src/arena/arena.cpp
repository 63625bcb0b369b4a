#include "resident/arena.hpp"

#include "arena/arena_state.hpp"
#include "os/headroom.hpp"
#include "os/lock_registry.hpp"

#include <new>

namespace resident {

namespace {

/// Out of line and by itself, so that allocate stays short.
[[noreturn, gnu::noinline, gnu::cold]] void raise_bad_alloc(const arena& exhausted,
                                                            std::size_t bytes) {
#if defined(__cpp_exceptions)
    (void)exhausted;
    (void)bytes;
    throw std::bad_alloc();
#else
    os::raise(os::make_argument_error(exhausted.name(),
                                      "allocate(%zu bytes): the longest free run is %zu bytes",
                                      bytes, exhausted.statistics().largest_free_run));
#endif
}

detail::arena_state* value_or_raise(const result<detail::arena_state*>& built) {
    if (!built)
        os::raise(built.error());
    return *built;
}

} // namespace

arena::arena(const arena_options& options)
    : arena(detail::built_arena(value_or_raise(detail::arena_state::build(options)))) {}

arena::arena(detail::built_arena built) noexcept
    : state_(built.state_), generation_(os::locked_pages().generation()) {}

result<arena> arena::create(const arena_options& options) {
    const result<detail::arena_state*> built = detail::arena_state::build(options);
    if (!built)
        return built.error();
    return result<arena>(std::in_place, detail::built_arena(*built));
}

arena::~arena() {
    // In a forked child the memory is gone, or somebody else's by now; the parent still has it.
    if (generation_ == os::locked_pages().generation())
        detail::arena_state::destroy(state_);
}

std::size_t arena::memlock_needed(const arena_options& options) noexcept {
    if (options.lock == lock_policy::off)
        return 0;
    const bool charged = detail::reserved_huge_page_size(options.pages) == 0;
    return detail::bookkeeping_for(options.capacity, options.max_capacity) +
           (charged ? options.capacity : 0);
}

void* arena::try_allocate(std::size_t bytes, std::size_t alignment) noexcept {
    return state_->runs().allocate(bytes, alignment);
}

void arena::deallocate_run(void* run) noexcept { state_->runs().deallocate(run); }

void* arena::do_allocate(std::size_t bytes, std::size_t alignment) {
    void* run = state_->runs().allocate(bytes, alignment);
    if (run == nullptr)
        raise_bad_alloc(*this, bytes);
    return run;
}

void arena::do_deallocate(void* run, std::size_t bytes, std::size_t /*alignment*/) {
    state_->runs().deallocate(run, bytes);
}

result<std::size_t> arena::try_grow(std::size_t bytes) { return state_->grow(bytes, true); }

std::size_t arena::grow(std::size_t bytes) {
    const result<std::size_t> grown = try_grow(bytes);
    if (!grown)
        os::raise(grown.error());
    return *grown;
}

bool arena::owns(const void* address) const noexcept {
    const auto offset = detail::address_of(address) - detail::address_of(state_->begin());
    return offset < state_->capacity();
}

std::span<std::byte> arena::memory() const noexcept {
    return {state_->begin(), state_->capacity()};
}

arena_statistics arena::statistics() const noexcept { return state_->statistics(); }

result<arena_proof> arena::verify() const { return state_->verify(); }

result<page_map> arena::map() const {
    const std::span<std::byte> range = memory();
    return residency(range.data(), range.size());
}

page_kind arena::pages() const noexcept { return state_->pages(); }
int arena::numa_node() const noexcept { return state_->numa_node(); }
bool arena::locked() const noexcept { return state_->locked(); }
const error* arena::degradation() const noexcept { return state_->degradation(); }
const char* arena::name() const noexcept { return state_->name(); }
const char* arena::check() const noexcept { return state_->check(); }

const char* to_string(page_kind value) noexcept {
    switch (value) {
    case page_kind::automatic:
        return "automatic";
    case page_kind::base:
        return "base";
    case page_kind::transparent_huge:
        return "transparent_huge";
    case page_kind::huge_2M:
        return "huge_2M";
    case page_kind::huge_1G:
        return "huge_1G";
    }
    return "unknown page_kind";
}

const char* to_string(lock_policy value) noexcept {
    switch (value) {
    case lock_policy::required:
        return "required";
    case lock_policy::best_effort:
        return "best_effort";
    case lock_policy::off:
        return "off";
    }
    return "unknown lock_policy";
}

const char* to_string(fork_policy value) noexcept {
    switch (value) {
    case fork_policy::exclude:
        return "exclude";
    case fork_policy::wipe:
        return "wipe";
    case fork_policy::inherit:
        return "inherit";
    }
    return "unknown fork_policy";
}

const char* to_string(core_dump_policy value) noexcept {
    switch (value) {
    case core_dump_policy::exclude:
        return "exclude";
    case core_dump_policy::include:
        return "include";
    }
    return "unknown core_dump_policy";
}

} // namespace resident
