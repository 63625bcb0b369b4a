#include "tool/demo_setup.hpp"

#include "resident/memory_limit.hpp"
#include "resident/size_literals.hpp"
#include "tool/quantities.hpp"
#include "tool/records.hpp"
#include "tool/store_sizing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

namespace resident::tool {
namespace {

/// More shows nothing more, and takes longer to fill.
constexpr std::size_t largest_default_capacity = 64_MiB;
constexpr std::size_t largest_input = 16_MiB;

/// Bytes that RAM and every cgroup above this process still have.
std::size_t available_memory() {
    const headroom_snapshot headroom = read_headroom();
    std::size_t available = headroom.available_memory;
    for (const memory_cgroup_level& level :
         std::span(headroom.cgroups).first(headroom.cgroup_count)) {
        available = std::min(available, level.limit - std::min(level.limit, level.usage));
    }
    return available;
}

std::size_t lockable_memory() {
    const auto limit = raise_memory_limit();
    return limit ? limit->headroom() : 0;
}

/// Half of what may be locked: the rest is for the harness, above all its code.
std::size_t choose_capacity(const demo_options& options, std::size_t lockable) {
    const std::size_t available = available_memory();
    if (options.capacity > available / 4) {
        throw usage_error(fmt::format(
            "--capacity {} is more than a quarter of the {} of memory that are available; "
            "give at most {}",
            short_size(options.capacity), short_size(available),
            short_size(available / 4 / 1_MiB * 1_MiB)));
    }
    if (options.capacity != 0)
        return options.capacity;
    const std::size_t fits = std::min({largest_default_capacity, lockable / 2, available / 4});
    return std::max<std::size_t>(fits / 1_MiB * 1_MiB, 1_MiB);
}

} // namespace

demo_setup set_up(const demo_options& options) {
    const std::size_t lockable = lockable_memory();
    const std::size_t cap = std::min(largest_input, std::max(lockable / 8, std::size_t{256_KiB}));
    const record_table table = read_records(options.input, cap);
    std::string reason;
    auto input = os::shared_memory::create("records", record_view::packed_size(table), reason);
    if (!input)
        throw std::runtime_error(reason);
    record_view::pack(table, input->data());
    workload load{.input = table.source,
                  .input_records = table.records.size(),
                  .input_bytes = table.text.size(),
                  .input_total_bytes = table.source_bytes,
                  .cut_records = table.cut_records,
                  .kept_records = 0,
                  .arena_capacity = choose_capacity(options, lockable)};
    load.kept_records = records_that_fit(record_view::unpack(input->data()), load.arena_capacity);
    if (load.kept_records == 0) {
        throw usage_error(fmt::format("no record of {} fits into --capacity {}; give more",
                                      table.source, short_size(load.arena_capacity)));
    }
    return {std::move(load), std::move(*input)};
}

} // namespace resident::tool
