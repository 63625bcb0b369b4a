#include "os/lock_registry.hpp"

#include "os/mappings.hpp"
#include "os/page_counts.hpp"
#include "os/pages_to_populate.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <mutex>
#include <span>

#include <pthread.h>

namespace resident::os {
namespace {

struct range {
    std::uintptr_t begin;
    std::uintptr_t end;
    [[nodiscard]] std::size_t bytes() const noexcept { return end - begin; }
};

range intersection(const range& a, const range& b) noexcept {
    const std::uintptr_t begin = std::max(a.begin, b.begin);
    return {begin, std::max(begin, std::min(a.end, b.end))};
}

// All state, constant-initialised: an arena may be built before main. The mutex does not inherit
// priorities: a forked child could not unlock that kind.
constinit std::mutex registry_mutex;
constinit page_counts counts;
// lock and hold calls not yet undone. Undoing one splits at most two ranges, so that room for two
// more ranges each is kept, and undoing never needs memory.
constinit std::size_t live_owners = 0;
constinit std::atomic<std::size_t> forks{0};

void before_fork() { registry_mutex.lock(); }
void after_fork_in_parent() { registry_mutex.unlock(); }
void after_fork_in_child() {
    counts.clear();
    live_owners = 0;
    forks.fetch_add(1, std::memory_order_relaxed);
    registry_mutex.unlock();
}

/// Calls `act(part)` for the pages of `within` that have one owner and were not locked before it.
template <class Act>
void for_each_sole_owned(std::span<const counted_range> ranges, const range& within, Act act) {
    for (const counted_range& counted : ranges) {
        const range part = intersection({counted.begin, counted.end}, within);
        if (counted.owners == 1 && !counted.locked_before && part.bytes() != 0)
            act(part);
    }
}

using range_call = outcome (kernel::*)(const void*, std::size_t) noexcept;

outcome call_on(range_call call, const range& pages) noexcept {
    return (system().*call)(reinterpret_cast<const void*>(pages.begin), pages.bytes());
}

/// The call stops at the first hole, so where there are holes it is made for each mapping alone.
outcome call_on_mapped(range_call call, const range& pages) noexcept {
    const outcome whole = call_on(call, pages);
    if (whole || whole.error_number() != ENOMEM)
        return whole;
    struct {
        range_call call;
        range pages;
        outcome result;
    } context{call, pages, outcome::success()};
    const auto visit = [](const mapping& met, void* opaque) {
        auto& state = *static_cast<decltype(context)*>(opaque);
        const outcome done = call_on(state.call, intersection({met.begin, met.end}, state.pages));
        if (!done)
            state.result = done;
        return true;
    };
    const outcome visited =
        visit_mappings(reinterpret_cast<const void*>(pages.begin), pages.bytes(), visit, &context);
    return visited ? context.result : visited;
}

/// How far a range is mapped and accessible, and the draft that adds an owner to it.
struct marking {
    range wanted;
    std::uintptr_t reached;
};

/// Drafts one more owner for each page, marking those that are locked already.
outcome draft_marked_owner(marking& progress) noexcept {
    counts.begin_draft();
    counts.draft_until(progress.wanted.begin, 0);
    progress.reached = progress.wanted.begin;
    const auto visit = [](const mapping& met, void* opaque) {
        auto& state = *static_cast<marking*>(opaque);
        const bool accessible = met.readable || met.writable || met.executable;
        if (met.begin > state.reached || !accessible)
            return false;
        state.reached = std::min<std::uintptr_t>(met.end, state.wanted.end);
        counts.draft_until(state.reached, 1, met.locked);
        return state.reached < state.wanted.end;
    };
    return visit_mappings(reinterpret_cast<const void*>(progress.wanted.begin),
                          progress.wanted.bytes(), visit, &progress);
}

void draft_change(const range& pages, int change) noexcept {
    counts.begin_draft();
    counts.draft_until(pages.begin, 0);
    counts.draft_until(pages.end, change);
}

/// Drafts the change, with room left for undoing every owner that then lives.
outcome draft_change_with_room(const range& pages, int change, std::size_t owners) noexcept {
    for (;;) {
        draft_change(pages, change);
        const bool fitted = counts.finish_draft();
        const std::size_t capacity = counts.capacity();
        const outcome room =
            counts.reserve(fitted ? counts.draft().size() + 2 * owners : 2 * capacity + 1);
        if (!room || (fitted && counts.capacity() == capacity))
            return room;
    }
}

/// Takes away the owners that share the pages out among them; their locks are the caller's matter.
void uncount(const range& pages, std::size_t owners) noexcept {
    // Where the memory for it cannot be had after all, the pages stay counted.
    const std::size_t left = live_owners - std::min(live_owners, owners);
    if (!draft_change_with_room(pages, -1, left))
        return;
    counts.commit();
    live_owners = counts.ranges().empty() ? 0 : left;
}

refusal refuse(const error& why) noexcept { return {true, why.details()}; }

refusal refuse_hole(const range& wanted, std::uintptr_t hole, const char* subject) noexcept {
    refusal refused = refuse(make_argument_error(subject,
                                                 "of the range 0x%" PRIxPTR "-0x%" PRIxPTR
                                                 " no accessible memory is mapped at 0x%" PRIxPTR,
                                                 wanted.begin, wanted.end, hole));
    refused.details.bytes_asked = wanted.bytes();
    return refused;
}

/// Drafts the owner and finds what forbids it, before anything is locked.
refusal draft_lock(const range& wanted, const char* subject) noexcept {
    // The draft is as long as the mappings make it, so its room is found by trying; the last
    // reserve keeps the draft where nothing had to move.
    for (;;) {
        marking progress{wanted, wanted.begin};
        if (const outcome read = draft_marked_owner(progress); !read)
            return refuse(make_error(operation::read_system_file, read.error_number(),
                                     wanted.bytes(), subject));
        if (progress.reached != wanted.end)
            return refuse_hole(wanted, progress.reached, subject);
        const std::size_t capacity = counts.capacity();
        const bool fitted = counts.finish_draft();
        const outcome room = counts.reserve(fitted ? counts.draft().size() + 2 * (live_owners + 1)
                                                   : 2 * capacity + 1);
        if (!room)
            return refuse(
                make_error(operation::reserve, room.error_number(), wanted.bytes(), subject));
        if (fitted && counts.capacity() == capacity)
            return {};
    }
}

} // namespace

refusal lock_registry::lock(std::size_t address, std::size_t bytes, const char* subject) noexcept {
    const std::lock_guard guard(registry_mutex);
    const range wanted{address, address + bytes};
    if (const refusal forbidden = draft_lock(wanted, subject); forbidden.refused)
        return forbidden;

    std::size_t bytes_to_lock = 0;
    for_each_sole_owned(counts.draft(), wanted,
                        [&](const range& part) { bytes_to_lock += part.bytes(); });
    const std::size_t bytes_to_populate = os::bytes_to_populate(wanted.begin, wanted.bytes());
    if (bytes_to_lock != 0 || bytes_to_populate != 0) {
        refusal limited = check_headroom(bytes_to_lock, bytes_to_populate);
        if (limited.refused) {
            std::snprintf(limited.details.subject.data(), limited.details.subject.size(), "%s",
                          subject);
            return limited;
        }
    }
    if (const outcome locked = call_on(&kernel::lock, wanted); !locked) {
        const refusal failed =
            refuse(make_error(operation::lock, locked.error_number(), wanted.bytes(), subject));
        // A lock that fails has locked what comes before the obstacle.
        for_each_sole_owned(counts.draft(), wanted,
                            [](const range& part) { (void)call_on_mapped(&kernel::unlock, part); });
        return failed;
    }
    counts.commit();
    ++live_owners;
    return {};
}

void lock_registry::unlock(std::size_t address, std::size_t bytes) noexcept {
    const std::lock_guard guard(registry_mutex);
    const range given{address, address + bytes};
    for_each_sole_owned(counts.ranges(), given,
                        [](const range& part) { (void)call_on_mapped(&kernel::unlock, part); });
    uncount(given, 1);
}

outcome lock_registry::hold(std::size_t address, std::size_t bytes) noexcept {
    const std::lock_guard guard(registry_mutex);
    const outcome drafted = draft_change_with_room({address, address + bytes}, 1, live_owners + 1);
    if (!drafted)
        return drafted;
    counts.commit();
    ++live_owners;
    return outcome::success();
}

void lock_registry::drop(std::size_t address, std::size_t bytes, std::size_t holds) noexcept {
    const std::lock_guard guard(registry_mutex);
    uncount({address, address + bytes}, holds);
}

outcome lock_registry::unlock_all_others() noexcept {
    const std::lock_guard guard(registry_mutex);
    outcome result = system().unlock_all();
    if (!result)
        return result;
    counts.forget_marks();
    for (const counted_range& counted : counts.ranges()) {
        const outcome locked = call_on_mapped(&kernel::lock, {counted.begin, counted.end});
        if (!locked)
            result = locked;
    }
    return result;
}

std::size_t lock_registry::owners(std::size_t address) noexcept {
    const std::lock_guard guard(registry_mutex);
    for (const counted_range& counted : counts.ranges())
        if (counted.begin <= address && address < counted.end)
            return counted.owners;
    return 0;
}

std::size_t lock_registry::generation() noexcept { return forks.load(std::memory_order_relaxed); }

lock_registry& locked_pages() noexcept {
    static lock_registry registry;
    // Before the first count, so that no fork can come between.
    [[maybe_unused]] static const int handlers =
        pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    return registry;
}

} // namespace resident::os
