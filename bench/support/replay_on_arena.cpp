#include "support/replay_on_arena.hpp"

#include "contestants/boost_best_fit.hpp"
#include "contestants/boost_pool.hpp"
#include "contestants/concurrent.hpp"
#include "contestants/foonathan_pool.hpp"
#include "contestants/jemalloc_on_arena.hpp"
#include "contestants/std_pool.hpp"
#include "support/shared_arena.hpp"

#include <algorithm>
#include <cstddef>
#include <memory_resource>
#include <mutex>
#include <new>

namespace resident::bench {
namespace {

/// In the place of a mutex, where there is one thread.
struct no_mutex {
    void lock() noexcept {}
    void unlock() noexcept {}
};

/// A contestant for every request that a program may make: what its pool is too small for, or does
/// not align, is a run of the arena.
template <contestant C, class Mutex>
class for_every_request final : public std::pmr::memory_resource {
public:
    /// Bytes of the arena as far as blocks of `C` reached, which has all of it.
    [[nodiscard]] std::size_t reach() const noexcept { return reach_; }

private:
    static constexpr bool has_whole_arena = requires(C & heap) { heap.memory(); };

    static bool is_run(std::size_t bytes, std::size_t alignment) noexcept {
        if constexpr (requires { C::largest; }) {
            if (bytes > C::largest)
                return true;
        }
        return alignment > alignof(std::max_align_t);
    }
    void* take(std::size_t bytes, std::size_t alignment) {
        if constexpr (has_whole_arena) {
            void* const block = is_run(bytes, alignment) ? heap_.allocate_aligned(bytes, alignment)
                                                         : heap_.allocate(bytes);
            if (block != nullptr) {
                const auto begin = static_cast<std::byte*>(block) - heap_.memory().data();
                reach_ = std::max(reach_, static_cast<std::size_t>(begin) + bytes);
            }
            return block;
        } else {
            return is_run(bytes, alignment) ? shared_arena().allocate(bytes, alignment)
                                            : heap_.allocate(bytes);
        }
    }
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        const std::lock_guard turn(mutex_);
        void* const block = take(std::max<std::size_t>(bytes, 1), alignment);
        if (block == nullptr)
            throw std::bad_alloc();
        return block;
    }
    void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override {
        const std::lock_guard turn(mutex_);
        bytes = std::max<std::size_t>(bytes, 1);
        if (!has_whole_arena && is_run(bytes, alignment))
            shared_arena().deallocate(block, bytes, alignment);
        else
            heap_.deallocate(block, bytes);
    }
    [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return this == &other;
    }

    C heap_;
    [[no_unique_address]] Mutex mutex_;
    std::size_t reach_ = 0;
};

tool::arena_use taken_from_arena() { return tool::use_of(shared_arena()); }

void build_arena(const tool::replay_order& order) {
    set_shared_arena_capacity(order.arena_capacity);
    if (!order.lock)
        set_shared_arena_unlocked();
    (void)shared_arena();
}

template <contestant C, class Mutex>
void run_with(tool::replay_run& run) {
    for_every_request<C, Mutex> heap;
    if constexpr (requires(C & each) { each.memory(); }) {
        run.with_resource(heap, [&heap] {
            tool::arena_use use = taken_from_arena();
            use.peak_held = heap.reach();
            return use;
        });
    } else {
        run.with_resource(heap, taken_from_arena);
    }
}

/// A contestant for one thread; several take turns.
template <contestant C>
void run_in_turns(const tool::replay_order& order, tool::replay_run& run) {
    build_arena(order);
    if (order.threads)
        run_with<C, std::mutex>(run);
    else
        run_with<C, no_mutex>(run);
}

/// Contestants that are memory resources themselves, for every request.
template <contestant OneThread, contestant Threads>
void run_resource(const tool::replay_order& order, tool::replay_run& run) {
    build_arena(order);
    if (order.threads) {
        Threads heap;
        run.with_resource(heap.resource(), taken_from_arena);
    } else {
        OneThread heap;
        run.with_resource(heap.resource(), taken_from_arena);
    }
}

template <class C>
tool::replay_contestant in_turns(const char* name, const char* what, const char* where_missing) {
    tool::replay_contestant made{.name = name, .description = what, .has_roomy_arena = true};
    if constexpr (contestant<C>) {
        made.run = run_in_turns<C>;
        if constexpr (requires { C::first_calls_are_long; })
            made.not_stepped =
                "one call may link all blocks of a chunk, in millions of instructions";
    } else {
        made.not_here = where_missing;
    }
    return made;
}

tool::replay_contestant jemalloc_entry() {
    tool::replay_contestant made{.name = "je-on-arena",
                                 .description = "resident::jemalloc_resource on an arena",
                                 .has_roomy_arena = true};
    if constexpr (contestant<jemalloc_on_arena>)
        made.run = run_resource<jemalloc_on_arena, jemalloc_on_arena>;
    else
        made.not_here = "not found: libjemalloc2";
    return made;
}

} // namespace

std::vector<tool::replay_contestant> replays_on_arena() {
    return {jemalloc_entry(),
            {.name = "std-arena",
             .description = "std::pmr's pool on an arena",
             .has_roomy_arena = true,
             .run = run_resource<std_pool_on_arena, std_shared_pool>},
            in_turns<boost_pool>("boost", "Boost.Container's pool on an arena; threads take turns",
                                 "not found: libboost-container-dev"),
            in_turns<boost_best_fit>("best-fit", "Boost.Interprocess' best fit; threads take turns",
                                     "not found: libboost-dev"),
            in_turns<foonathan_pool>("foonathan",
                                     "foonathan's pools of powers of 2; threads take turns",
                                     "not found: libfoonathan-memory-dev")};
}

} // namespace resident::bench
