#include "pool/lane_registry.hpp"

#include "os/priority_inheritance_mutex.hpp"
#include "os/thread_exit.hpp"
#include "pool/lane_group.hpp"

#include <array>
#include <mutex>
#include <new>

namespace resident::detail {

constinit thread_local thread_lanes this_thread_lanes{};

namespace {

struct registry {
    os::priority_inheritance_mutex mutex;
    bool watches = false; ///< threads that end, and forks
    std::array<lane_group*, thread_lanes::most_pools> groups{};
};
constinit registry all;

void give_lanes_back() noexcept {
    const std::lock_guard guard(all.mutex);
    for (lane_group* const group : all.groups)
        if (group != nullptr)
            group->detach(this_thread_lanes);
}

/// In the child no pool of the parent is of use, and another thread may have held the mutex.
void forget_all() noexcept {
    new (&all) registry{};
    all.watches = true;
    for (auto& each : this_thread_lanes.lanes)
        each.store(nullptr, std::memory_order_relaxed);
    this_thread_lanes.leave();
}

} // namespace

std::size_t register_group(lane_group& group) noexcept {
    const std::lock_guard guard(all.mutex);
    if (!all.watches)
        all.watches = os::watch_threads(give_lanes_back, forget_all);
    if (!all.watches)
        return thread_lanes::most_pools;
    for (std::size_t slot = 0; slot < all.groups.size(); ++slot) {
        if (all.groups[slot] == nullptr) {
            all.groups[slot] = &group;
            return slot;
        }
    }
    return thread_lanes::most_pools;
}

void unregister_group(lane_group& group) noexcept {
    if (group.slot() == thread_lanes::most_pools)
        return;
    const std::lock_guard guard(all.mutex);
    group.forget_holders();
    all.groups[group.slot()] = nullptr;
}

bool register_this_thread() noexcept { return os::announce_exit(); }

} // namespace resident::detail
