/// What the benchmarks with several threads do with a contestant. Each is one measurement of a
/// number of operations that is fixed beforehand, by the clock: who waits for a lock uses no
/// processor time. An operation is a pair of allocation and deallocation, of all threads together.
///
/// Bias: blocks are touched once, by the thread that allocates and by the one that gets them.
/// More threads than processors take turns, and then wait for each other less often.
#pragma once

#include "contestants/contestant.hpp"
#include "random.hpp"
#include "support/spsc_ring.hpp"
#include "support/team.hpp"
#include "workloads.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace resident::bench {

/// A measurement of a whole team as Google Benchmark's iterations.
template <class Member>
void time_team(benchmark::State& state, std::size_t threads, Member member) {
    while (state.KeepRunningBatch(state.max_iterations)) {
        state.SetIterationTime(seconds_of_team(threads, member));
    }
}

/// How many operations fall to each of `sharers`, if they come in groups.
inline std::size_t share_of(const benchmark::State& state, std::size_t sharers,
                            std::size_t group = 1) {
    return static_cast<std::size_t>(state.max_iterations) / sharers / group;
}

/// Reads a block as who got it would.
inline void look_at(void* block) noexcept {
    const std::atomic_ref<std::uint32_t> content{*static_cast<std::uint32_t*>(block)};
    use(reinterpret_cast<const void*>(std::uintptr_t{content.load(std::memory_order_relaxed)}));
}

/// `Threads` threads, each with 1 000 blocks of its own that it replaces at random; no block
/// changes hands. Before the timing as many steps as bring the heap to its steady state.
template <contestant C, std::size_t Threads>
void own_churn(benchmark::State& state) {
    constexpr std::uint32_t live = 1000;
    const auto heap = std::make_unique<C>();
    const std::size_t steps = share_of(state, Threads);
    time_team(state, Threads, [&](std::size_t index) {
        auto blocks = std::make_unique<churning<C, uniform_sizes>>(*heap, live, 100 + index);
        for (std::uint32_t step = 0; step != 10 * live; ++step) {
            blocks->step();
        }
        return [steps, blocks = std::move(blocks)] {
            for (std::size_t step = 0; step != steps; ++step) {
                blocks->step();
            }
        };
    });
}

inline constexpr std::size_t passed_bytes = 64;

template <contestant C>
void* touched_block(C& heap) {
    void* const block = heap.allocate(passed_bytes);
    touch(block, 1);
    return block;
}

/// One thread allocates, the other frees, through a ring of 1 024 entries.
template <contestant C>
void passing(benchmark::State& state) {
    const auto heap = std::make_unique<C>();
    const auto ring = std::make_unique<spsc_ring<void*, 1024>>();
    const std::size_t blocks = share_of(state, 1);
    time_team(state, 2, [&](std::size_t index) {
        return [&heap = *heap, &ring = *ring, index, blocks] {
            if (index == 0) {
                for (std::size_t left = blocks; left != 0; --left) {
                    ring.push(touched_block(heap));
                }
            } else {
                for (std::size_t left = blocks; left != 0; --left) {
                    void* const block = ring.pop();
                    look_at(block);
                    heap.deallocate(block, passed_bytes);
                }
            }
        };
    });
}

inline constexpr std::size_t burst_blocks = 1000;

/// One thread allocates 1 000 blocks and hands them over at once; the other frees them, while the
/// first has another array to fill.
template <contestant C>
void bursts(benchmark::State& state) {
    using burst = std::array<void*, burst_blocks>;
    struct exchange {
        std::array<burst, 2> arrays;
        spsc_ring<burst*, 2> full;
        spsc_ring<burst*, 2> empty;
    };
    const auto heap = std::make_unique<C>();
    const auto between = std::make_unique<exchange>();
    const std::size_t rounds = share_of(state, 1, burst_blocks);
    for (burst& each : between->arrays) {
        between->empty.push(&each);
    }
    time_team(state, 2, [&](std::size_t index) {
        return [&heap = *heap, &between = *between, index, rounds] {
            for (std::size_t left = rounds; left != 0; --left) {
                if (index == 0) {
                    burst* const blocks = between.empty.pop();
                    for (void*& block : *blocks) {
                        block = touched_block(heap);
                    }
                    between.full.push(blocks);
                } else {
                    burst* const blocks = between.full.pop();
                    for (void* const block : *blocks) {
                        look_at(block);
                        heap.deallocate(block, passed_bytes);
                    }
                    between.empty.push(blocks);
                }
            }
        };
    });
}

/// Two threads in turn: each frees the block it got, and allocates one for the other.
template <contestant C>
void ping_pong(benchmark::State& state) {
    struct exchange {
        std::array<spsc_ring<void*, 2>, 2> to;
    };
    const auto heap = std::make_unique<C>();
    const auto between = std::make_unique<exchange>();
    const std::size_t blocks = share_of(state, 2);
    time_team(state, 2, [&](std::size_t index) {
        return [&heap = *heap, &mine = between->to[index], &other = between->to[1 - index], index,
                blocks] {
            for (std::size_t left = blocks; left != 0; --left) {
                if (index == 0) {
                    other.push(touched_block(heap));
                }
                void* const block = mine.pop();
                look_at(block);
                heap.deallocate(block, passed_bytes);
                if (index == 1) {
                    other.push(touched_block(heap));
                }
            }
        };
    });
}

/// What a short-lived thread leaves to the next.
template <contestant C>
class short_lives {
public:
    static constexpr std::size_t of_one = 100;
    static constexpr std::size_t left_over = 50;

    short_lives(C& heap, std::uint64_t seed) : heap_(heap), random_(seed) { leave(); }
    ~short_lives() { free(left_); }
    short_lives(const short_lives&) = delete;
    short_lives& operator=(const short_lives&) = delete;

    void live() {
        free(left_);
        std::array<held_block, of_one> own;
        fill(own);
        free(own);
        leave();
    }

private:
    void leave() { fill(left_); }
    void fill(auto& blocks) {
        for (held_block& each : blocks) {
            each.bytes = uniform_sizes{}(static_cast<std::uint32_t>(random_.next()));
            each.address = heap_.allocate(each.bytes);
            touch(each.address, each.bytes);
        }
    }
    void free(const auto& blocks) {
        for (const held_block& each : blocks) {
            heap_.deallocate(each.address, each.bytes);
        }
    }

    C& heap_;
    random_stream random_;
    std::array<held_block, left_over> left_;
};

/// Two chains of threads: each thread frees 50 blocks that the one before it left, allocates and
/// frees 100 and leaves 50 to the next, which is created when it has ended.
/// Bias: creating and joining the threads is most of the time.
template <contestant C>
void thread_churn(benchmark::State& state) {
    const auto heap = std::make_unique<C>();
    const std::size_t threads =
        share_of(state, 2, short_lives<C>::of_one + short_lives<C>::left_over);
    time_team(state, 2, [&](std::size_t index) {
        auto chain = std::make_unique<short_lives<C>>(*heap, 200 + index);
        return [threads, chain = std::move(chain)] {
            for (std::size_t left = threads; left != 0; --left) {
                std::thread{[&] { chain->live(); }}.join();
            }
        };
    });
}

inline constexpr std::size_t larson_steps = 5000;

/// The server of Larson and Krishnan, "Memory Allocation for Long-Running Server Applications",
/// 1998: `Threads` threads at a time, each of which replaces random ones of 1 000 blocks 5 000
/// times, and leaves all to the thread that follows it.
template <contestant C, std::size_t Threads>
void larson(benchmark::State& state) {
    const auto heap = std::make_unique<C>();
    const std::size_t generations = share_of(state, Threads, larson_steps);
    time_team(state, Threads, [&](std::size_t index) {
        auto blocks = std::make_unique<churning<C, uniform_sizes>>(*heap, 1000, 300 + index);
        return [generations, blocks = std::move(blocks)] {
            for (std::size_t left = generations; left != 0; --left) {
                std::thread{[&] {
                    for (std::size_t step = 0; step != larson_steps; ++step) {
                        blocks->step();
                    }
                }}.join();
            }
        };
    });
}

} // namespace resident::bench
