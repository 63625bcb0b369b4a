#include "os/headroom.hpp"
#include "os/kernel_constants.hpp"
#include "os/lock_registry.hpp"
#include "os/mappings.hpp"
#include "process/loaded_code.hpp"
#include "process/malloc_settings.hpp"
#include "process/steps.hpp"
#include "resident/memory_limit.hpp"
#include "resident/prepare.hpp"

#include <array>
#include <cstdint>
#include <ctime>
#include <limits>
#include <optional>

namespace resident {
namespace {

using detail::step_of;

preparation_step raise_limit(std::string_view name) {
    const auto raised = raise_memory_limit();
    if (!raised)
        return {name, preparation_outcome::failed, raised.error().error_number()};
    return {name, preparation_outcome::done};
}

/// What mlockall(MCL_CURRENT) would lock and populate.
struct whole_process {
    std::size_t not_locked = 0; // inaccessible reservations included: the limit counts them
    std::size_t accessible = 0;
};

os::outcome measure_process(whole_process& measured, std::size_t& in_ram) noexcept {
    constexpr std::size_t everything = std::numeric_limits<std::intptr_t>::max();
    const auto visit = [](const os::mapping& met, void* context) {
        auto& sum = *static_cast<whole_process*>(context);
        const std::size_t bytes = met.end - met.begin;
        if (!met.locked)
            sum.not_locked += bytes;
        if (met.readable || met.writable || met.executable)
            sum.accessible += bytes;
        return true;
    };
    if (const auto read = os::visit_mappings(nullptr, everything, visit, &measured); !read)
        return read;
    os::mapping_summary summary;
    const os::outcome read = os::summarize_mappings(nullptr, everything, summary);
    in_ram = summary.rss;
    return read;
}

/// mlockall past a cgroup's limit, or past RAM (a sanitizer's shadow memory), is met by the OOM
/// killer and not by an error; so it is asked before.
std::optional<error> lock_all(const lock_all_memory& asked) {
    constexpr const char* subject = "the whole process";
    if (asked.current) {
        whole_process measured;
        std::size_t in_ram = 0;
        if (const auto read = measure_process(measured, in_ram); !read)
            return os::make_error(operation::read_system_file, read.error_number(), 0, subject);
        const std::size_t to_populate =
            asked.on_fault || measured.accessible < in_ram ? 0 : measured.accessible - in_ram;
        const os::refusal refusal = os::check_headroom(measured.not_locked, to_populate);
        if (refusal.refused)
            return error(refusal.details);
    }
    const int flags = (asked.current ? os::lock_all_current : 0) |
                      (asked.future ? os::lock_all_future : 0) |
                      (asked.on_fault ? os::lock_all_on_fault : 0);
    const os::outcome locked = os::system().lock_all(flags);
    if (!locked)
        return os::make_error(operation::lock, locked.error_number(), 0, subject);
    return std::nullopt;
}

/// The vdso reads clocks from pages of the kernel, each mapped in at the first reading.
preparation_step touch_clocks(std::string_view name) noexcept {
    constexpr std::array clocks{
        CLOCK_REALTIME,         CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW,      CLOCK_REALTIME_COARSE,
        CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME,  CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
    for (const clockid_t clock : clocks) {
        timespec now{};
        (void)::clock_gettime(clock, &now); // a clock that this kernel lacks needs no touching
    }
    return {name, preparation_outcome::done};
}

} // namespace

result<preparation> prepare_process(const process_options& options) {
    preparation done;
    const auto add = [&done](bool asked, std::string_view name, auto step) {
        done.add(asked ? step(name) : preparation_step{name, preparation_outcome::not_asked});
    };
    add(options.raise_memory_limit, "raise memory limit", raise_limit);
    add(options.keep_malloc_memory, "keep malloc memory", detail::keep_malloc_memory);
    add(options.single_malloc_arena, "single malloc arena", detail::use_single_malloc_arena);
    add(options.exclude_from_merging, "exclude from page merging", [](std::string_view name) {
        return step_of(name, os::system().control_process(os::memory_merge_option, 0));
    });
    add(options.touch_clock, "touch clocks", touch_clocks);
    add(options.lock_code, "lock code", [&](std::string_view name) {
        return detail::lock_loaded_code(name, options.leave_lockable);
    });
    const bool all = options.lock_all.current || options.lock_all.future;
    if (all)
        if (const auto refused = lock_all(options.lock_all))
            return *refused;
    done.add({"lock all memory", all ? preparation_outcome::done : preparation_outcome::not_asked});
    return done;
}

status unlock_all_memory() {
    const os::outcome unlocked = os::locked_pages().unlock_all_others();
    if (!unlocked)
        return os::make_error(operation::unlock, unlocked.error_number(), 0, "the whole process");
    return std::monostate{};
}

} // namespace resident
