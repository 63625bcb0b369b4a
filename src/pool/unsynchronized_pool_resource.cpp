#include "resident/unsynchronized_pool_resource.hpp"

#include "os/headroom.hpp"
#include "os/lock_registry.hpp"
#include "pool/pool_state.hpp"

#include <new>

namespace resident {

namespace {

constexpr std::size_t state_size = sizeof(detail::pool_state);

detail::pool_state* make_state(const pool_options& options, arena& memory,
                               std::pmr::memory_resource* upstream,
                               unsynchronized_pool_resource& handle) {
    detail::run_source& runs = detail::arena_access::runs(memory);
    void* const run = runs.allocate(state_size, alignof(detail::pool_state));
    if (run == nullptr)
        detail::raise_bad_alloc(memory, state_size);
    const std::uint16_t owner = runs.new_owner();
    if (owner == 0) { // 32 767 pools share the arena already
        runs.deallocate(run);
        detail::raise_bad_alloc(memory, state_size);
    }
    return new (run) detail::pool_state(options, memory, owner, upstream, &handle);
}

} // namespace

unsynchronized_pool_resource::unsynchronized_pool_resource(const pool_options& options)
    : own_arena_(new arena()), front_(make_state(options, *own_arena_, nullptr, *this)),
      generation_(os::locked_pages().generation()) {}

unsynchronized_pool_resource::unsynchronized_pool_resource(const pool_options& options,
                                                           arena& memory,
                                                           std::pmr::memory_resource* upstream)
    : front_(make_state(options, memory, upstream, *this)),
      generation_(os::locked_pages().generation()) {}

detail::pool_state& unsynchronized_pool_resource::state() const noexcept {
    return static_cast<detail::pool_state&>(*front_);
}

unsynchronized_pool_resource::~unsynchronized_pool_resource() {
    // In a forked child the memory is gone, or somebody else's by now; the parent still has it.
    if (generation_ == os::locked_pages().generation())
        detail::pool_state::destroy(&state());
}

void unsynchronized_pool_resource::deallocate(void* block) noexcept {
    state().deallocate_unsized(block);
}

void* unsynchronized_pool_resource::do_allocate(std::size_t bytes, std::size_t alignment) {
    return allocate(bytes, alignment);
}

void unsynchronized_pool_resource::do_deallocate(void* block, std::size_t bytes,
                                                 std::size_t alignment) {
    deallocate(block, bytes, alignment);
}

void unsynchronized_pool_resource::reserve(std::size_t bytes, std::size_t count,
                                           std::size_t alignment) {
    if (!try_reserve(bytes, count, alignment))
        detail::raise_bad_alloc(source(), bytes);
}

bool unsynchronized_pool_resource::try_reserve(std::size_t bytes, std::size_t count,
                                               std::size_t alignment) noexcept {
    return state().reserve(bytes, count, alignment);
}

std::size_t unsynchronized_pool_resource::usable_size(const void* block) const noexcept {
    return state().usable_size(block);
}

bool unsynchronized_pool_resource::owns(const void* address) const noexcept {
    return state().owns(address);
}

void unsynchronized_pool_resource::trim() noexcept { state().trim(); }

void unsynchronized_pool_resource::release() noexcept { state().release(); }

pool_options unsynchronized_pool_resource::options() const noexcept {
    return detail::with_chosen_values(state().options());
}

std::pmr::memory_resource* unsynchronized_pool_resource::upstream_resource() const noexcept {
    return state().upstream() != nullptr ? state().upstream() : std::pmr::null_memory_resource();
}

arena& unsynchronized_pool_resource::source() const noexcept { return state().source(); }

pool_statistics unsynchronized_pool_resource::statistics() const noexcept {
    return state().statistics();
}

const char* unsynchronized_pool_resource::check() const noexcept { return state().check(); }

const char* to_string(check_level value) noexcept {
    switch (value) {
    case check_level::off:
        return "off";
    case check_level::cheap:
        return "cheap";
    case check_level::full:
        return "full";
    }
    return "unknown check_level";
}

} // namespace resident
