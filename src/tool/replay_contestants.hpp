/// Who can replay a trace. A new contestant is one entry in replay_contestants.cpp, or of a program
/// that brings its own.
#pragma once

#include "resident/arena.hpp"
#include "resident/synchronized_pool_resource.hpp"
#include "resident/unsynchronized_pool_resource.hpp"
#include "tool/replay_channel.hpp"

#include <cstdint>
#include <functional>
#include <memory_resource>
#include <span>
#include <string_view>

namespace resident::tool {

/// What a contestant took of the arena that it is on.
struct arena_use {
    std::uint64_t peak_held = 0;   ///< bytes at the peak
    std::uint64_t arena_bytes = 0; ///< resident: capacity and bookkeeping
    page_kind pages = page_kind::automatic;
    bool locked = false;
};

/// The part that is the same for every contestant.
class replay_run {
public:
    virtual void with_malloc() = 0;
    /// `use` tells after the last event what it took of its arena; without one, what it held at the
    /// peak is the growth of the process.
    virtual void with_resource(std::pmr::memory_resource& resource,
                               const std::function<arena_use()>& use = {}) = 0;
    virtual void with_pool(unsynchronized_pool_resource& pool) = 0;
    virtual void with_pool(synchronized_pool_resource& pool) = 0;
    /// The arena is too small for the pool itself.
    virtual void without_room() = 0;
    /// The control: everything but the calls.
    virtual void without_memory() = 0;

protected:
    ~replay_run() = default;
};

[[nodiscard]] inline arena_use use_of(const arena& memory) {
    const arena_statistics taken = memory.statistics();
    return {.peak_held = taken.peak_in_use,
            .arena_bytes = taken.resident,
            .pages = memory.pages(),
            .locked = memory.locked()};
}

/// A way of getting blocks. Each runs in a process of its own.
struct replay_contestant {
    std::string_view name; ///< at most 12 characters: a column of the table, and of --contestant
    std::string_view description;
    bool is_arena = false; ///< the pool of this library, confined to the capacity
    /// On an arena with room to spare: what it takes of it is measured, as that of malloc.
    bool has_roomy_arena = false;
    bool is_control = false;
    /// malloc as real-time programs prepare it: all is locked, nothing given back, and a heap with
    /// room to spare grown ahead. What it held at the peak cannot be told from it.
    bool is_locked_malloc = false;
    /// Libraries of which the first that there is replaces malloc; see preload_variable().
    const char* preload = nullptr;
    const char* not_here = nullptr;    ///< why it cannot run here; null if it can
    const char* not_stepped = nullptr; ///< why its instructions are not counted; null if they are
    void (*run)(const replay_order& order, replay_run& run) = nullptr;
};

/// Before the control; before anything else of this file is called. `more` is copied.
void add_replay_contestants(std::span<const replay_contestant> more);

/// In the order of the report. Valid until contestants are added.
[[nodiscard]] std::span<const replay_contestant> all_replay_contestants() noexcept;
/// Null if there is none of that name.
[[nodiscard]] const replay_contestant* find_replay_contestant(std::string_view name) noexcept;
/// The names, with a comma between.
[[nodiscard]] std::string replay_contestant_names();

} // namespace resident::tool
