/// How much memory containers take: the capacity to lock, the size of nodes, and what to reserve.
#pragma once

#include "resident/arena.hpp"
#include "resident/detail/fill.hpp"
#include "resident/pool_options.hpp"
#include "resident/result.hpp"
#include "resident/synchronized_pool_resource.hpp"
#include "resident/unsynchronized_pool_resource.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <memory_resource>
#include <type_traits>
#include <utility>

namespace resident {

// docs/sizing.md derives the bound and shows how to use all of this. Nothing here is real-time
// safe: it is for the set-up of a program, its tests, or a program of its own.

/// How a footprint is taken. Every field may be left out.
struct footprint_options {
    /// Of the pool that is sized. `on_failure` is not called.
    pool_options pool{};
    /// Whether the program can be run but once. Then the capacity is the bound, not verified.
    bool run_once = false;
};

/// Blocks of one size class.
struct size_class_footprint {
    std::size_t block_size = 0; ///< bytes
    std::size_t peak = 0;       ///< the most blocks that were in use at once
};

/// Requests above the largest block, or aligned to more than a granule: runs of the arena.
struct run_footprint {
    std::size_t peak = 0;       ///< the most runs that were in use at once
    std::size_t peak_bytes = 0; ///< the most that was in use at once, in whole granules
    std::size_t longest = 0;    ///< bytes, with what its alignment may cost
    bool equal = true; ///< whether all were equally long, none aligned to more than a granule
};

/// What a program takes of one pool. In bytes unless said otherwise.
struct footprint_report {
    /// For arena_options::capacity. Verified: an arena of this capacity was enough, one shorter by
    /// a granule (a page, where that is more) was not.
    std::size_t capacity = 0;
    /// What such an arena charges to the memlock limit: the capacity and its bookkeeping.
    std::size_t memlock = 0;
    bool verified = false; ///< the program was run on an arena of that capacity; else it is `bound`
    /// Taken from the arena at the peak of that run, the pool's own state included; 0 if there was
    /// no such run.
    std::size_t peak_held = 0;
    std::size_t peak_in_use = 0;    ///< handed out at once, in whole blocks and granules
    std::size_t peak_requested = 0; ///< the same as requested
    /// The capacity that is enough for every order of requests within the peaks below, if the pool
    /// is new and the peaks are reserved in it first.
    std::size_t bound = 0;
    std::array<size_class_footprint, pool_statistics::size_class_count> classes{}; ///< ascending
    run_footprint runs{};
};

/// The node of a container, or the chunk of a deque.
struct node_footprint {
    std::size_t bytes = 0;      ///< as requested from the allocator
    std::size_t alignment = 0;  ///< the same; 8 where less is asked for
    std::size_t block_size = 0; ///< bytes of the block that it gets
};

/// A standard container on resident::allocator or std::pmr::polymorphic_allocator.
template <class Container>
concept pooled_container = detail::container_on<Container, unsynchronized_pool_resource>;

/// Something to be run on a pool: takes unsynchronized_pool_resource&, or a pointer to it or to
/// std::pmr::memory_resource.
template <class Use>
concept pool_use = std::invocable<Use&, unsynchronized_pool_resource&> ||
    std::invocable<Use&, unsynchronized_pool_resource*>;

namespace detail {

/// A callable without its type.
struct erased_use {
    void (*call)(void* context, unsynchronized_pool_resource& pool);
    void* context;
};

result<footprint_report> measure(erased_use use, const footprint_options& options);
/// `fill` is called with growing numbers of elements until one request stands out.
result<node_footprint> find_node(erased_use use, std::size_t& elements);
/// The elements are not `count` but fewer.
error make_lost_elements_error(std::size_t count, std::size_t found);
[[noreturn]] void raise_error(const error& failure);

template <class Value>
Value value_or_raise(result<Value>&& made) {
    if (!made)
        raise_error(made.error());
    return std::move(*made);
}

template <pool_use Use>
erased_use erase(Use& use) noexcept {
    return {[](void* context, unsynchronized_pool_resource& pool) {
                auto& called = *static_cast<Use*>(context);
                if constexpr (std::invocable<Use&, unsynchronized_pool_resource&>)
                    std::invoke(called, pool);
                else
                    std::invoke(called, &pool);
            },
            const_cast<void*>(static_cast<const volatile void*>(std::addressof(use)))};
}

/// Makes a container of `count` elements on the pool, as those do who know how many will come.
template <pooled_container Container, class Fill>
struct filled {
    Fill fill;
    std::size_t count;
    std::size_t found = count; ///< elements, where the container tells

    void operator()(unsynchronized_pool_resource& pool) {
        Container container{typename Container::allocator_type(&pool)};
        if constexpr (requires { container.reserve(count); })
            container.reserve(count);
        for (std::size_t index = 0; index < count; ++index)
            fill(container, index);
        if constexpr (requires { container.size(); })
            found = container.size();
    }
};

template <pooled_container Container, class Fill>
result<footprint_report> measure_filled(std::size_t count, Fill fill,
                                        const footprint_options& options) {
    filled<Container, Fill> run{std::move(fill), count};
    auto measured = measure(erase(run), options);
    if (measured && run.found < count)
        return make_lost_elements_error(count, run.found);
    return measured;
}

} // namespace detail

/// Effects: runs `use` on an empty pool of its own, again and again: once to count what it
/// requests, then on unlocked arenas of different capacities, to find by bisection the smallest on
/// which every request is served. What an arena refuses comes from the heap, so `use` never sees
/// std::bad_alloc, and nothing of the program's is locked.
/// Requires: `use` makes the same requests each time (options.run_once: it is called once), and
/// does not call the pool's reserve(): what to reserve is the answer.
/// Returns: the report, or `resident::error` if and only if memory for the program is not there or
/// the options cannot be met. Throws: what `use` throws; the other form, the error (in a build
/// without exceptions: prints it and aborts). Complexity: that of some 10 to 20 runs of `use`.
template <pool_use Use>
[[nodiscard]] result<footprint_report> try_footprint(Use&& use,
                                                     const footprint_options& options = {}) {
    return detail::measure(detail::erase(use), options);
}
/// The same, throwing the error.
template <pool_use Use>
[[nodiscard]] footprint_report footprint(Use&& use, const footprint_options& options = {}) {
    return detail::value_or_raise(detail::measure(detail::erase(use), options));
}

/// The footprint of a container of `count` elements alone on a pool. `reserve(count)` is called
/// first where the container has it; then `fill(container, index)` for each index from 0. By
/// default that adds a value-constructed element, or one under the key `index`, as a number or as
/// text: pass one that adds what the program does if elements have memory of their own.
/// Fails, beside the above, if the container holds fewer than `count` elements after it.
template <pooled_container Container, class Fill = detail::add_element>
[[nodiscard]] result<footprint_report> try_footprint(std::size_t count, Fill fill = {},
                                                     const footprint_options& options = {}) {
    return detail::measure_filled<Container>(count, std::move(fill), options);
}
/// The same, throwing the error.
template <pooled_container Container, class Fill = detail::add_element>
[[nodiscard]] footprint_report footprint(std::size_t count, Fill fill = {},
                                         const footprint_options& options = {}) {
    return detail::value_or_raise(
        detail::measure_filled<Container>(count, std::move(fill), options));
}

/// The node that a list, a set or a map of either kind requests for an element, or the chunk of a
/// deque: seen by filling one. `fill` as for footprint; its elements must have no memory of their
/// own. Fails if and only if there is no memory to try it, or nothing was requested.
template <pooled_container Container, class Fill = detail::add_element>
requires detail::has_nodes<Container>
[[nodiscard]] result<node_footprint> try_node_size(Fill fill = {}) {
    std::size_t elements = 0;
    auto run = [&](unsynchronized_pool_resource& pool) {
        Container container{typename Container::allocator_type(&pool)};
        for (std::size_t index = 0; index < elements; ++index)
            fill(container, index);
    };
    return detail::find_node(detail::erase(run), elements);
}
/// The same, throwing the error.
template <pooled_container Container, class Fill = detail::add_element>
requires detail::has_nodes<Container>
[[nodiscard]] node_footprint node_size(Fill fill = {}) {
    return detail::value_or_raise(try_node_size<Container>(std::move(fill)));
}

/// Effects: pool.reserve() for the blocks of each class at their peak. They are there from then on:
/// while no more are in use, none of these requests visits the arena or fails.
/// Reserves do not add up: reserve what several containers take by the report of all of them,
/// before they take any of it. Returns: nothing, or the error; then classes before the one that
/// failed stay reserved, until release(). Fails if and only if the arena has no room, or a class is
/// above the largest block of this pool. Runs cannot be reserved: report.runs says what they take.
[[nodiscard]] status try_reserve(unsynchronized_pool_resource& pool,
                                 const footprint_report& report);
/// The same in the lane of this thread; see synchronized_pool_resource::reserve for what other
/// threads may have of these blocks.
[[nodiscard]] status try_reserve(synchronized_pool_resource& pool, const footprint_report& report);
/// The same, throwing the error; in a build without exceptions: prints it and aborts.
void reserve(unsynchronized_pool_resource& pool, const footprint_report& report);
void reserve(synchronized_pool_resource& pool, const footprint_report& report);

/// The same for one container of `count` elements, filled as for footprint. Returns: bytes of the
/// runs that it takes beside: arrays above the pool's largest block, which visit the arena. Get
/// them in set-up, by the container's own reserve(). Fails as footprint or the above.
template <pooled_container Container, class Fill = detail::add_element,
          std::derived_from<std::pmr::memory_resource> Pool>
[[nodiscard]] result<std::size_t> try_reserve(Pool& pool, std::size_t count, Fill fill = {}) {
    const auto taken = detail::measure_filled<Container>(
        count, std::move(fill), {.pool = pool.options(), .run_once = true});
    if (!taken)
        return taken.error();
    if (const auto reserved = try_reserve(pool, *taken); !reserved)
        return reserved.error();
    return taken->runs.peak_bytes;
}
/// The same, throwing the error; in a build without exceptions: prints it and aborts.
template <pooled_container Container, class Fill = detail::add_element,
          std::derived_from<std::pmr::memory_resource> Pool>
std::size_t reserve(Pool& pool, std::size_t count, Fill fill = {}) {
    return detail::value_or_raise(try_reserve<Container>(pool, count, std::move(fill)));
}

} // namespace resident
