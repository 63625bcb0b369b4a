#include "tool/contestants.hpp"

#include "resident/arena.hpp"
#include "tool/store_sizing.hpp"

#include <array>

namespace resident::tool {
namespace {

void run_empty(const contest_order&, contest_run& run) { run.without_work(); }

void run_on_malloc(const contest_order&, contest_run& run) {
    run.with(*std::pmr::new_delete_resource());
}

void run_on_pool_over_malloc(const contest_order&, contest_run& run) {
    std::pmr::unsynchronized_pool_resource pool(demo_pool_options(),
                                                std::pmr::new_delete_resource());
    run.with(pool);
}

void run_on_pool_over_arena(const contest_order& order, contest_run& run) {
    arena locked_memory({.capacity = order.arena_capacity, .name = "resident demo"});
    run.note_page_kind(to_string(locked_memory.pages()));
    std::pmr::unsynchronized_pool_resource pool(demo_pool_options(), &locked_memory);
    run.with(pool);
}

constexpr std::array<contestant, 7> contestants{{
    {.name = "empty loop",
     .description = "the control: the same loop, no containers",
     .is_control = true,
     .run = run_empty},
    {.name = "malloc", .description = "the C library's malloc, as it is", .run = run_on_malloc},
    {.name = "std pool over malloc",
     .description = "std::pmr::unsynchronized_pool_resource over malloc",
     .run = run_on_pool_over_malloc},
    {.name = "mlockall recipe",
     .description = "malloc after mlockall, M_TRIM_THRESHOLD, M_MMAP_MAX",
     .keep_malloc_memory = true,
     .lock_all = true,
     .run = run_on_malloc},
    {.name = "mlockall + one arena",
     .description = "the recipe and M_ARENA_MAX=1",
     .keep_malloc_memory = true,
     .single_malloc_arena = true,
     .lock_all = true,
     .run = run_on_malloc},
    {.name = "jemalloc",
     .description = "jemalloc in place of malloc, as it is",
     .preload = "libjemalloc.so.2",
     .preload_symbol = "mallctl",
     .run = run_on_malloc},
    {.name = "resident arena + pool",
     .description = "std::pmr::unsynchronized_pool_resource over resident::arena",
     .is_arena = true,
     .run = run_on_pool_over_arena},
}};

} // namespace

std::span<const contestant> all_contestants() noexcept { return contestants; }

} // namespace resident::tool
