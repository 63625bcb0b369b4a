#include "arena/layout.hpp"

#include "arena/arena_state.hpp"
#include "os/headroom.hpp"

#include <algorithm>
#include <utility>

namespace resident::detail {

namespace {

constexpr std::chrono::milliseconds longest_poll_interval = std::chrono::hours{1};

static_assert(arena::max_supported_capacity == run_allocator::max_granules * granule_size);

std::optional<error> refuse_size(const char* name, const char* which, std::size_t bytes,
                                 std::size_t unit) noexcept {
    constexpr std::size_t most = arena::max_supported_capacity;
    if (bytes > most)
        return os::make_argument_error(name, "%s is %zu bytes; an arena holds at most %zu bytes",
                                       which, bytes, most);
    if (bytes % unit != 0)
        return os::make_argument_error(
            name, "%s is %zu bytes, not a multiple of %zu bytes; the next multiple is %zu", which,
            bytes, unit, round_up(bytes, unit));
    return std::nullopt;
}

std::optional<error> refuse_sizes(const char* name, const arena_options& options) noexcept {
    const std::size_t unit =
        std::max({granule_size, os::page_size(), reserved_huge_page_size(options.pages)});
    if (options.capacity == 0)
        return os::make_argument_error(name, "capacity is 0 bytes; it must be at least %zu bytes",
                                       unit);
    if (auto refused = refuse_size(name, "capacity", options.capacity, unit))
        return refused;
    if (auto refused = refuse_size(name, "max_capacity", options.max_capacity, unit))
        return refused;
    if (options.max_capacity != 0 && options.max_capacity < options.capacity)
        return os::make_argument_error(name,
                                       "max_capacity is %zu bytes, less than capacity, %zu bytes",
                                       options.max_capacity, options.capacity);
    return std::nullopt;
}

} // namespace

std::size_t bookkeeping_for(std::size_t capacity, std::size_t max_capacity) noexcept {
    const std::size_t most = std::max(capacity, max_capacity);
    return round_up(sizeof(arena_state) - sizeof(run_allocator) +
                        run_allocator::storage_for(capacity / granule_size, most / granule_size),
                    os::page_size());
}

std::optional<error> refuse_options(const arena_options& options) noexcept {
    const char* name = options.name;
    if (options.pages > page_kind::huge_1G || options.lock > lock_policy::off ||
        options.on_fork > fork_policy::inherit || options.core_dump > core_dump_policy::include)
        return os::make_argument_error(name, "an option has a value outside its enumeration");
    if (auto refused = refuse_sizes(name, options))
        return refused;
    if (options.on_fork != fork_policy::exclude && reserved_huge_page_size(options.pages) != 0)
        return os::make_argument_error(
            name, "fork_policy::%s does not work on reserved huge pages (%s); exclude does",
            to_string(options.on_fork), to_string(options.pages));
    if (options.numa_node < -1 || options.numa_node >= 1024)
        return os::make_argument_error(
            name, "numa_node is %d; it must be -1 (the local node) or 0 to 1023",
            options.numa_node);
    const auto interval = options.growth.poll_interval;
    if (options.growth.keep_free != 0 &&
        (interval.count() <= 0 || interval > longest_poll_interval))
        return os::make_argument_error(
            name, "growth.poll_interval is %lld ms; it must be 1 ms to %lld ms (an hour)",
            static_cast<long long>(interval.count()),
            static_cast<long long>(longest_poll_interval.count()));
    return std::nullopt;
}

} // namespace resident::detail
