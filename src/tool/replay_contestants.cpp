#include "tool/replay_contestants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>
#include <stdexcept>
#include <vector>

namespace resident::tool {
namespace {

void run_on_malloc(const replay_order&, replay_run& run) { run.with_malloc(); }

/// The heap is written to, as recipes do and an arena is, and kept by malloc.
void run_on_grown_malloc(const replay_order& order, replay_run& run) {
    void* const heap = std::malloc(order.arena_capacity); // NOLINT: what is measured
    if (heap == nullptr) {
        throw std::runtime_error(fmt::format("malloc does not get a heap of {} bytes, grown ahead, "
                                             "under the memlock limit",
                                             order.arena_capacity));
    }
    std::memset(heap, 1, order.arena_capacity);
    asm volatile("" : : "r"(heap) : "memory"); // or the compiler would see that nobody reads it
    std::free(heap);                           // NOLINT: what is measured
    run.with_malloc();
}

void run_empty(const replay_order&, replay_run& run) { run.without_memory(); }

template <class Pool>
void run_on(arena& memory, replay_run& run) {
    std::optional<Pool> pool;
    try {
        pool.emplace(memory);
    } catch (const std::bad_alloc&) {
        return run.without_room();
    }
    run.with_pool(*pool);
}

void run_on_resident_pool(const replay_order& order, replay_run& run) {
    arena memory({.capacity = order.arena_capacity,
                  .pages = order.lock ? page_kind::automatic : page_kind::base,
                  .lock = order.lock ? lock_policy::required : lock_policy::off,
                  .name = "resident replay"});
    if (order.threads)
        run_on<synchronized_pool_resource>(memory, run);
    else
        run_on<unsynchronized_pool_resource>(memory, run);
}

/// As libstdc++ has them by default.
void run_on_std_pool(const replay_order& order, replay_run& run) {
    if (order.threads) {
        std::pmr::synchronized_pool_resource pool(std::pmr::new_delete_resource());
        run.with_resource(pool);
    } else {
        std::pmr::unsynchronized_pool_resource pool(std::pmr::new_delete_resource());
        run.with_resource(pool);
    }
}

std::vector<replay_contestant>& known_contestants() {
    static std::vector<replay_contestant> all{
        {.name = "resident",
         .description = "resident's pool on a locked arena",
         .is_arena = true,
         .run = run_on_resident_pool},
        {.name = "glibc", .description = "the C library's malloc, as it is", .run = run_on_malloc},
        {.name = "mlockall",
         .description = "malloc after mlockall and mallopt, its heap grown ahead",
         .is_locked_malloc = true,
         .run = run_on_grown_malloc},
        {.name = "jemalloc",
         .description = "jemalloc in the place of malloc",
         .preload = "libjemalloc.so.2",
         .run = run_on_malloc},
        {.name = "mimalloc",
         .description = "mimalloc in the place of malloc",
         .preload = "libmimalloc.so.3:libmimalloc.so.2",
         .run = run_on_malloc},
        {.name = "tcmalloc",
         .description = "gperftools' tcmalloc in the place of malloc",
         .preload = "libtcmalloc_minimal.so.4",
         .run = run_on_malloc},
        {.name = "tbbmalloc",
         .description = "oneTBB's malloc in the place of malloc",
         .preload = "libtbbmalloc_proxy.so.2",
         .run = run_on_malloc},
        {.name = "std-pool",
         .description = "std::pmr's pool as it is, over malloc",
         .run = run_on_std_pool},
        {.name = "empty",
         .description = "the control: the replay without the calls",
         .is_control = true,
         .run = run_empty},
    };
    return all;
}

} // namespace

void add_replay_contestants(std::span<const replay_contestant> more) {
    const auto control = std::find_if(known_contestants().begin(), known_contestants().end(),
                                      [](const auto& each) { return each.is_control; });
    known_contestants().insert(control, more.begin(), more.end());
}

std::span<const replay_contestant> all_replay_contestants() noexcept { return known_contestants(); }

const replay_contestant* find_replay_contestant(std::string_view name) noexcept {
    const auto& all = known_contestants();
    const auto found = std::find_if(all.begin(), all.end(),
                                    [name](const auto& each) { return each.name == name; });
    return found == all.end() ? nullptr : &*found;
}

std::string replay_contestant_names() {
    std::string names;
    for (const replay_contestant& each : known_contestants())
        names += (names.empty() ? "" : ", ") + std::string(each.name);
    return names;
}

} // namespace resident::tool
