#include "resident/footprint.hpp"

#include "os/headroom.hpp"
#include "os/kernel.hpp"
#include "pool/footprint_bound.hpp"
#include "pool/footprint_recorder.hpp"
#include "pool/guarded_block.hpp"
#include "pool/pool_state.hpp"

#include <algorithm>
#include <utility>

namespace resident {

namespace detail {

namespace {

constexpr const char* subject = "footprint";

/// What the capacity of an arena is a multiple of here.
std::size_t capacity_unit() noexcept { return std::max(arena::granule_size, os::page_size()); }

std::size_t round_up_to_unit(std::size_t bytes) noexcept {
    const std::size_t unit = capacity_unit();
    return (bytes + unit - 1) / unit * unit;
}

std::size_t state_capacity() noexcept { return round_up_to_unit(sizeof(pool_state)); }

/// Base pages: the administrator's huge ones are not for experiments.
arena_options unlocked(std::size_t capacity) {
    return {
        .capacity = capacity, .pages = page_kind::base, .lock = lock_policy::off, .name = subject};
}

/// One run of a program on an arena of its own.
class trial {
public:
    explicit trial(const pool_options& options) : options_(options), recorder_(options) {
        options_.on_failure = {};
    }
    /// The same where nothing but the pool's state has room, so that the recorder sees everything.
    /// Checks find each block of an upstream by looking through all: they are left out.
    std::optional<error> record(const erased_use& use) {
        options_.checks = check_level::off;
        return run(use, state_capacity());
    }

    /// Returns: why it could not be made, or the heap's refusal. What `use` throws passes through.
    std::optional<error> run(const erased_use& use, std::size_t capacity) {
        const auto memory = arena::create(unlocked(capacity));
        if (!memory)
            return memory.error();
        unsynchronized_pool_resource pool(options_, const_cast<arena&>(*memory), &recorder_);
#if defined(__cpp_exceptions)
        try {
            use.call(use.context, pool);
        } catch (...) {
            if (!recorder_.refusal())
                throw;
        }
#else
        use.call(use.context, pool);
#endif
        peak_held_ = pool.statistics().peak_held;
        return recorder_.refusal();
    }

    /// Whether the arena served every request.
    [[nodiscard]] bool fits() const noexcept { return !recorder_.was_asked(); }
    [[nodiscard]] std::size_t peak_held() const noexcept { return peak_held_; }
    [[nodiscard]] const footprint_recorder& recorder() const noexcept { return recorder_; }

private:
    pool_options options_;
    footprint_recorder recorder_;
    std::size_t peak_held_ = 0;
};

/// Looks for the smallest capacity that is enough.
class capacity_search {
public:
    capacity_search(const erased_use& use, const footprint_options& options,
                    footprint_report& report) noexcept
        : use_(use), options_(options), report_(report) {}

    std::optional<error> search() {
        const std::size_t unit = capacity_unit();
        // Blocks that are in use at once have room in no arena that is shorter.
        std::size_t too_small = round_up_to_unit(state_size + report_.peak_in_use) - unit;
        std::size_t enough = std::max(report_.bound, too_small + unit);
        for (;;) {
            if (auto failure = try_capacity(enough))
                return failure;
            if (fits_)
                break;
            too_small = enough;
            enough *= 2; // more than an arena can have, or RAM has, is refused with the numbers
        }
        while (enough - too_small > unit) {
            const std::size_t between = too_small + (enough - too_small) / unit / 2 * unit;
            if (auto failure = try_capacity(between))
                return failure;
            (fits_ ? enough : too_small) = between;
        }
        return std::nullopt;
    }

private:
    static constexpr std::size_t state_size =
        (sizeof(pool_state) + arena::granule_size - 1) / arena::granule_size * arena::granule_size;

    std::optional<error> try_capacity(std::size_t capacity) {
        trial attempt(options_.pool);
        if (auto failure = attempt.run(use_, capacity))
            return failure;
        fits_ = attempt.fits();
        if (fits_) {
            report_.capacity = capacity;
            report_.peak_held = attempt.peak_held();
        }
        return std::nullopt;
    }

    const erased_use& use_;
    const footprint_options& options_;
    footprint_report& report_;
    bool fits_ = false;
};

} // namespace

result<footprint_report> measure(erased_use use, const footprint_options& options) {
    trial recording(options.pool);
    if (auto failure = recording.record(use))
        return *failure;
    footprint_report report;
    recording.recorder().report(report);
    report.bound = round_up_to_unit(worst_case_capacity(report, options.pool.max_blocks_per_chunk));
    report.capacity = report.bound;
    if (!options.run_once) {
        if (auto failure = capacity_search(use, options, report).search())
            return *failure;
        report.verified = true;
    }
    report.memlock = arena::memlock_needed({.capacity = report.capacity});
    return report;
}

result<node_footprint> find_node(erased_use use, std::size_t& elements) {
    constexpr std::size_t enough_alike = 4; // more than a container has arrays at once
    constexpr std::size_t most_elements = 65536;
    node_footprint node;
    std::size_t alike = 0;
    for (elements = 16; alike < enough_alike && elements <= most_elements; elements *= 4) {
        trial recording({});
        if (auto failure = recording.record(use))
            return *failure;
        std::size_t first = 0;
        alike = 0;
        for (const auto& [request, count] : recording.recorder().by_request()) {
            // Of requests that are equally frequent, the node's comes first.
            if (count.peak < alike || (count.peak == alike && count.first > first))
                continue;
            alike = count.peak;
            first = count.first;
            node.bytes = request.bytes;
            node.alignment = request.alignment;
        }
    }
    if (alike == 0)
        return os::make_argument_error(subject,
                                       "the container requested nothing for %zu elements; "
                                       "fill it with a function that adds some",
                                       most_elements);
    const std::size_t rounded = (node.bytes + node.alignment - 1) / node.alignment * node.alignment;
    const size_class_index index = size_classes::of(rounded);
    node.block_size = index != 0 ? size_classes::block_size(index)
                                 : (rounded + arena::granule_size - 1) / arena::granule_size *
                                       arena::granule_size;
    return node;
}

error make_lost_elements_error(std::size_t count, std::size_t found) {
    return os::make_argument_error(subject,
                                   "the container holds %zu of %zu elements after it was filled: "
                                   "pass a function that adds elements with distinct keys",
                                   found, count);
}

void raise_error(const error& failure) { os::raise(failure); }

} // namespace detail

namespace {

template <class Pool>
status reserve_each(Pool& pool, const footprint_report& report) {
    const bool guarded = pool.options().checks == check_level::full;
    const std::size_t guards = guarded ? detail::guarded_block::enlarged({0, 1}) : 0;
    for (const size_class_footprint& each : report.classes) {
        if (each.peak == 0)
            continue;
        if (each.block_size <= guards)
            return os::make_argument_error(
                pool.source().name(),
                "blocks of %zu bytes have no room for the guards of check_level::full, %zu bytes: "
                "take the footprint with the options of this pool",
                each.block_size, guards);
        if (pool.try_reserve(each.block_size - guards, each.peak, 1))
            continue;
        const std::size_t largest = pool.options().largest_required_pool_block;
        if (each.block_size > largest)
            return os::make_argument_error(
                pool.source().name(),
                "blocks of %zu bytes cannot be reserved in a pool whose largest is %zu bytes",
                each.block_size, largest);
        const arena_statistics now = pool.source().statistics();
        return os::make_argument_error(
            pool.source().name(),
            "no room to reserve %zu blocks of %zu bytes: %zu of %zu bytes are free; a capacity of "
            "%zu bytes is enough for a pool alone",
            each.peak, each.block_size, now.capacity - now.in_use, now.capacity, report.bound);
    }
    return std::monostate{};
}

} // namespace

status try_reserve(unsynchronized_pool_resource& pool, const footprint_report& report) {
    return reserve_each(pool, report);
}

status try_reserve(synchronized_pool_resource& pool, const footprint_report& report) {
    return reserve_each(pool, report);
}

void reserve(unsynchronized_pool_resource& pool, const footprint_report& report) {
    if (const auto reserved = reserve_each(pool, report); !reserved)
        os::raise(reserved.error());
}

void reserve(synchronized_pool_resource& pool, const footprint_report& report) {
    if (const auto reserved = reserve_each(pool, report); !reserved)
        os::raise(reserved.error());
}

} // namespace resident
