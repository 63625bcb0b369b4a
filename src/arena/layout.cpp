#include "arena/layout.hpp"

#include "arena/arena_state.hpp"
#include "os/headroom.hpp"

#include <algorithm>

namespace resident::detail {

namespace {

constexpr std::size_t granule = arena::granule_size;

std::size_t unit_of(page_kind kind, std::size_t page) noexcept {
    return std::max({granule, page, reserved_huge_page_size(kind)});
}

/// Half of what 47 bits of user address space can hold: beyond it no kernel finds a gap.
constexpr std::size_t max_reservation = std::size_t{1} << 46;
static_assert(max_reservation / granule > run_allocator::max_granules,
              "the bound that is tested is the smaller one");

} // namespace

std::size_t arena_layout::bookkeeping_for(std::size_t capacity) const noexcept {
    return round_up(arena_state::records_offset + capacity / granule * sizeof(granule_record),
                    page);
}

arena_layout make_layout(const arena_options& options, std::size_t page) noexcept {
    arena_layout layout;
    layout.page = page;
    // 2 MiB even for base pages: huge pages need it, and so do pools that mask addresses.
    layout.data_alignment = std::max(step_size, unit_of(options.pages, page));
    layout.data_reserved = std::max(options.capacity, options.max_capacity);
    layout.bookkeeping_reserved = layout.bookkeeping_for(layout.data_reserved);
    return layout;
}

std::optional<error> refuse_options(const arena_options& options) noexcept {
    const char* name = options.name == nullptr ? "" : options.name;
    const std::size_t unit = unit_of(options.pages, os::page_size());
    const std::size_t bound = run_allocator::max_granules * granule;
    if (options.pages > page_kind::huge_1G || options.lock > lock_policy::off ||
        options.on_fork > fork_policy::inherit)
        return os::make_argument_error(name, "an option has a value outside its enumeration");
    if (options.capacity == 0)
        return os::make_argument_error(name, "capacity is 0 bytes; it must be at least %zu bytes",
                                       unit);
    for (const std::size_t bytes : {options.capacity, options.max_capacity}) {
        const char* which = bytes == options.capacity ? "capacity" : "max_capacity";
        if (bytes % unit != 0)
            return os::make_argument_error(
                name, "%s is %zu bytes, not a multiple of %zu bytes; the next multiple is %zu",
                which, bytes, unit, bytes > bound ? bound / unit * unit : round_up(bytes, unit));
        if (bytes > bound)
            return os::make_argument_error(
                name, "%s is %zu bytes; an arena holds at most %zu bytes", which, bytes, bound);
    }
    if (options.max_capacity != 0 && options.max_capacity < options.capacity)
        return os::make_argument_error(name,
                                       "max_capacity is %zu bytes, less than capacity, %zu bytes",
                                       options.max_capacity, options.capacity);
    if (options.on_fork == fork_policy::wipe && reserved_huge_page_size(options.pages) != 0)
        return os::make_argument_error(
            name, "fork_policy::wipe does not work on reserved huge pages (%s)",
            to_string(options.pages));
    if (options.numa_node < -1 || options.numa_node >= 1024)
        return os::make_argument_error(
            name, "numa_node is %d; it must be -1 (the local node) or 0 to 1023",
            options.numa_node);
    if (options.growth.keep_free != 0 && options.growth.poll_interval.count() <= 0)
        return os::make_argument_error(
            name, "growth.poll_interval is %lld ms; it must be at least 1 ms",
            static_cast<long long>(options.growth.poll_interval.count()));
    return std::nullopt;
}

} // namespace resident::detail
