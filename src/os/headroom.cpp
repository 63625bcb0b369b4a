#include "os/headroom.hpp"

#include "os/cgroups.hpp"
#include "os/memlock_limit.hpp"
#include "os/process_status.hpp"
#include "os/system_file.hpp"
#include "os/text.hpp"

#include <algorithm>
#include <array>

namespace resident::os {
namespace {

void put(const memlock_limit& limit, headroom_snapshot& snapshot) noexcept {
    snapshot.memlock_soft_limit = limit.soft;
    snapshot.memlock_hard_limit = limit.hard;
}

void read_memory_left(headroom_snapshot& snapshot) noexcept {
    if (const auto available = read_field("/proc/meminfo", "MemAvailable")) {
        snapshot.available_memory = static_cast<std::size_t>(*available);
    }
    read_memory_cgroups(snapshot);
}

/// Raises the soft limit, but not in vain: a request that the hard limit refuses changes nothing.
void raise_if_that_suffices(headroom_snapshot& snapshot, std::size_t bytes_to_lock) noexcept {
    headroom_snapshot raised = snapshot;
    raised.memlock_soft_limit = snapshot.memlock_hard_limit;
    if (bytes_to_lock <= lockable(snapshot) || bytes_to_lock > lockable(raised))
        return;
    memlock_limit limit{.soft = snapshot.memlock_soft_limit, .hard = snapshot.memlock_hard_limit};
    if (raise_soft_memlock_limit(limit))
        put(limit, snapshot);
}

refusal refuse(const headroom_snapshot& snapshot, cause why, std::size_t bytes) noexcept {
    refusal refused{.refused = true, .details = {}};
    refused.details.operation = operation::check_headroom;
    refused.details.cause = why;
    refused.details.bytes_asked = bytes;
    refused.details.headroom = snapshot;
    return refused;
}

refusal refuse_lock(const headroom_snapshot& snapshot, std::size_t bytes) noexcept {
    const bool never = snapshot.memlock_hard_limit == 0;
    refusal refused = refuse(snapshot, never ? cause::not_permitted : cause::memlock_limit, bytes);
    text_builder reason(refused.details.reason);
    if (never) {
        reason.short_size(bytes) << " to lock, but RLIMIT_MEMLOCK is 0: nothing may be locked";
        return refused;
    }
    reason.short_size(bytes) << " to lock, but RLIMIT_MEMLOCK leaves ";
    reason.short_size(lockable(snapshot)) << " (soft limit ";
    reason.short_size(snapshot.memlock_soft_limit);
    if (snapshot.memlock_hard_limit != snapshot.memlock_soft_limit) {
        reason << ", hard limit ";
        reason.short_size(snapshot.memlock_hard_limit);
    }
    reason << ", already locked ";
    reason.short_size(snapshot.locked) << ")";
    return refused;
}

refusal refuse_populate(const headroom_snapshot& snapshot, std::size_t bytes) noexcept {
    const memory_cgroup_level* const level = tightest(snapshot);
    const bool cgroup = level != nullptr && room(*level) <= snapshot.available_memory;
    refusal refused =
        refuse(snapshot, cgroup ? cause::memory_cgroup : cause::physical_memory, bytes);
    text_builder reason(refused.details.reason);
    reason.short_size(bytes) << " and a margin of ";
    reason.short_size(populate_margin) << " to populate, but ";
    if (cgroup) {
        reason << "a memory cgroup leaves ";
        reason.short_size(room(*level)) << " (limit ";
        reason.short_size(level->limit) << ", usage ";
        reason.short_size(level->usage) << "): " << level->path.data();
    } else {
        reason << "RAM leaves ";
        reason.short_size(snapshot.available_memory) << " (MemAvailable)";
    }
    return refused;
}

refusal check_populate(const headroom_snapshot& snapshot, std::size_t bytes) noexcept {
    const memory_cgroup_level* const level = tightest(snapshot);
    const std::size_t left =
        std::min(snapshot.available_memory, level != nullptr ? room(*level) : unlimited);
    const bool fits = bytes == 0 || left == unlimited ||
                      (left >= populate_margin && left - populate_margin >= bytes);
    if (fits)
        return {.refused = false, .details = {.headroom = snapshot}};
    return refuse_populate(snapshot, bytes);
}

} // namespace

headroom_snapshot read_headroom() noexcept {
    headroom_snapshot snapshot;
    if (memlock_limit limit; read_memlock_limit(limit))
        put(limit, snapshot);
    snapshot.locked = read_process_status().locked;
    snapshot.can_exceed_memlock = can_exceed_memlock();
    constexpr std::uint64_t never_overcommit = 2;
    snapshot.strict_overcommit = read_number("/proc/sys/vm/overcommit_memory") == never_overcommit;
    read_memory_left(snapshot);
    return snapshot;
}

std::size_t lockable(const headroom_snapshot& snapshot) noexcept {
    if (snapshot.can_exceed_memlock || snapshot.memlock_soft_limit == unlimited)
        return unlimited;
    return snapshot.memlock_soft_limit - std::min(snapshot.memlock_soft_limit, snapshot.locked);
}

refusal check_headroom(std::size_t bytes_to_lock, std::size_t bytes_to_populate) noexcept {
    headroom_snapshot snapshot = read_headroom();
    raise_if_that_suffices(snapshot, bytes_to_lock);
    if (bytes_to_lock > lockable(snapshot))
        return refuse_lock(snapshot, bytes_to_lock);
    return check_populate(snapshot, bytes_to_populate);
}

refusal check_populate_headroom(std::size_t bytes_to_populate) noexcept {
    headroom_snapshot snapshot;
    read_memory_left(snapshot);
    const refusal answer = check_populate(snapshot, bytes_to_populate);
    if (!answer.refused)
        return answer;
    return check_populate(read_headroom(), bytes_to_populate);
}

} // namespace resident::os
