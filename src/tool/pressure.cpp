#include "tool/pressure.hpp"

#include "os/harness/swap_file.hpp"
#include "os/harness/terminal.hpp"
#include "resident/size_literals.hpp"
#include "tool/quantities.hpp"

#include <fmt/format.h>

#include <array>
#include <new>
#include <stdexcept>

namespace resident::tool {
namespace {

/// The cgroup holds a contestant that locks everything it has (its store, its code, its stacks),
/// and no more than a part of the hog.
std::size_t limit_for(std::size_t arena_capacity) { return 2 * arena_capacity + 32_MiB; }

/// The hog alone is all that the cgroup holds; more would only take longer to build up.
std::size_t hog_for(std::size_t limit) { return limit; }

} // namespace

pressure::pressure(std::size_t arena_capacity) {
    state_.reason = arrange(arena_capacity);
    state_.active = state_.reason.empty();
    if (!state_.active)
        end();
}

/// Returns: empty, or why there is no pressure.
std::string pressure::arrange(std::size_t arena_capacity) {
    if (!os::is_root())
        return "only root may make a memory cgroup and swap";
    std::string reason;
    const std::string name = fmt::format("resident-demo-{}", os::process_id());
    const std::string directory = os::memory_cgroup::directory_of(name, reason);
    if (directory.empty())
        return reason;
    guardian_ = os::cleanup_guardian::start(reason);
    if (!guardian_)
        return reason;
    if (!guardian_->announce_cgroup(directory))
        return "the process that cleans up has ended";
    state_.cgroup_limit = limit_for(arena_capacity);
    state_.hog_bytes = hog_for(state_.cgroup_limit);
    cgroup_ = os::memory_cgroup::create(name, state_.cgroup_limit, reason);
    if (!cgroup_)
        return reason;
    hog_memory_ = os::shared_memory::create("hog", sizeof(hog_channel), reason);
    if (!hog_memory_)
        return reason;
    return arrange_swap(2 * state_.hog_bytes);
}

std::string pressure::arrange_swap(std::size_t needed) {
    if (os::free_swap() >= needed) {
        state_.swap = "the machine's own";
        return {};
    }
    std::string failures;
    for (const char* folder : {"/var/tmp", "/var/lib", "/tmp"}) {
        const std::string path = fmt::format("{}/resident-demo-{}.swap", folder, os::process_id());
        if (!guardian_->announce_swap_file(path))
            return "the process that cleans up has ended";
        const std::string failure = os::add_swap_file(path, needed);
        if (failure.empty()) {
            state_.swap = fmt::format("a file of {} for the time of the run", short_size(needed));
            return {};
        }
        if (failures.empty())
            failures = failure;
    }
    return failures;
}

void pressure::start_hog(int processor) {
    if (!state_.active)
        return;
    auto* channel = new (hog_memory_->data()) hog_channel;
    channel->bytes = state_.hog_bytes;
    channel->processor_to_avoid = processor;
    std::string reason;
    std::optional<os::child_process> started =
        os::child_process::start({.arguments = {"resident", "hog-child"},
                                  .descriptors = {hog_memory_->descriptor()},
                                  .cgroup = cgroup_->path()},
                                 reason);
    if (!started)
        throw std::runtime_error("the memory hog does not start: " + reason);
    hog_ = std::move(started);
}

bool pressure::hog_is_in_full_swing() {
    if (!hog_)
        return true;
    if (hog_->poll()) {
        throw std::runtime_error("the memory hog has ended: " + hog_->output());
    }
    return static_cast<hog_channel*>(hog_memory_->data())->passes.load() > 0;
}

bool pressure::end() {
    hog_.reset();
    return !guardian_ || guardian_->finish();
}

} // namespace resident::tool
