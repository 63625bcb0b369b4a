#include "tool/contestants.hpp"

#include "resident/arena.hpp"

#include <array>

namespace resident::tool {
namespace {

void run_empty(const contest_order&, contest_run& run) { run.without_work(); }

void run_on_malloc(const contest_order&, contest_run& run) {
    run.with(*std::pmr::new_delete_resource());
}

/// Chunks of at most 256 blocks: the default lets each size class take chunks of megabytes ahead,
/// which is no fair comparison of memory.
constexpr std::pmr::pool_options std_pool_options{.max_blocks_per_chunk = 256,
                                                  .largest_required_pool_block = 4096};

void run_on_pool_over_malloc(const contest_order&, contest_run& run) {
    std::pmr::unsynchronized_pool_resource pool(std_pool_options, std::pmr::new_delete_resource());
    run.with(pool);
}

/// Calls `use` with a pool over an arena, locked and populated.
template <class Pool, class Use>
void with_resident_pool(const contest_order& order, contest_run& run, Use use) {
    arena locked_memory({.capacity = order.arena_capacity, .name = "resident demo"});
    run.note_page_kind(to_string(locked_memory.pages()));
    Pool pool(locked_memory);
    use(pool);
}

void run_on_resident_pool_by_pmr(const contest_order& order, contest_run& run) {
    with_resident_pool<unsynchronized_pool_resource>(
        order, run, [&run](std::pmr::memory_resource& resource) { run.with(resource); });
}

void run_on_resident_pool(const contest_order& order, contest_run& run) {
    with_resident_pool<unsynchronized_pool_resource>(
        order, run, [&run](unsynchronized_pool_resource& pool) { run.with_pool(pool); });
}

void run_on_shared_resident_pool(const contest_order& order, contest_run& run) {
    with_resident_pool<synchronized_pool_resource>(
        order, run, [&run](synchronized_pool_resource& pool) { run.with_shared_pool(pool); });
}

constexpr std::array<contestant, 9> contestants{{
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
     .run = run_on_malloc},
    {.name = "resident pool (pmr)",
     .description = "resident's pool on an arena, through std::pmr",
     .is_arena = true,
     .run = run_on_resident_pool_by_pmr},
    {.name = "resident allocator<T>",
     .description = "resident's pool on an arena, through resident::allocator",
     .is_arena = true,
     .run = run_on_resident_pool},
    {.name = "resident, two threads",
     .description = "resident's pool for any thread: a second one frees what the loop evicts",
     .is_arena = true,
     .has_second_thread = true,
     .run = run_on_shared_resident_pool},
}};

} // namespace

std::span<const contestant> all_contestants() noexcept { return contestants; }

} // namespace resident::tool
