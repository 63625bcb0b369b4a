/// What the benchmarks do with a contestant: the same calls in the same order for each. All times
/// are those of one pair of allocation and deallocation.
///
/// Bias: one thread and a warm processor. Only the first bytes of a block are touched, so a
/// contestant does not gain by where it places blocks as much as it would in a program that uses
/// them. Contestants on the arena have its pages (huge ones if the kernel gives them), the others
/// what the kernel gives to them.
#pragma once

#include "contestants/contestant.hpp"
#include "random.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <vector>

namespace resident::bench {

/// For the compiler: whatever `object` points to is read and written here.
inline void use(const void* object) noexcept { asm volatile("" : : "r"(object) : "memory"); }

/// For the compiler: a number it knows nothing about.
inline std::size_t opaque(std::size_t number) noexcept {
    asm volatile("" : "+r"(number));
    return number;
}

template <std::size_t Bytes>
struct node {
    alignas(std::max_align_t) std::array<std::byte, Bytes> content;
};

/// One node by the contestant's standard allocator, freed at once; the size is a constant for
/// whoever can use that.
/// Bias: the best case of every cache of free blocks; nothing else moves.
template <contestant C, std::size_t Bytes>
void pair_of_nodes(benchmark::State& state) {
    const auto heap = std::make_unique<C>();
    auto nodes = allocator_of<node<Bytes>>(*heap); // in a register, as it is in a container's loop
    use(heap.get());
    for ([[maybe_unused]] auto _ : state) {
        node<Bytes>* const block = nodes.allocate(1);
        use(block);
        nodes.deallocate(block, 1);
        use(heap.get()); // or the compiler makes one of this call and the next round's first
    }
}

/// The same with a size that only the running program knows.
template <contestant C, std::size_t Bytes>
void pair(benchmark::State& state) {
    const auto owner = std::make_unique<C>();
    C& heap = *owner; // what a program has in a register, it need not read again
    use(&heap);
    for ([[maybe_unused]] auto _ : state) {
        const std::size_t bytes = opaque(Bytes);
        void* const block = heap.allocate(bytes);
        use(block);
        heap.deallocate(block, bytes);
        use(&heap);
    }
}

/// A program writes to a block that it has asked for.
inline void touch(void* block, std::uint32_t value) noexcept {
    // Atomic for contestants that give a block to two threads at a time; the same instruction.
    std::atomic_ref<std::uint32_t>{*static_cast<std::uint32_t*>(block)}.store(
        value, std::memory_order_relaxed);
    use(block);
}

struct held_block {
    void* address = nullptr;
    std::uint32_t bytes = 0;
};

enum class order { last_first, first_first, random };

/// The order in which `count` blocks are freed.
inline std::vector<std::uint16_t> freeing_order(order how, std::uint16_t count) {
    std::vector<std::uint16_t> indices(count);
    std::iota(indices.begin(), indices.end(), std::uint16_t{0});
    if (how == order::last_first) {
        std::reverse(indices.begin(), indices.end());
    } else if (how == order::random) {
        random_stream random{11};
        for (std::size_t left = count; left > 1; --left) {
            std::swap(indices[left - 1], indices[random.below(static_cast<std::uint32_t>(left))]);
        }
    }
    return indices;
}

/// A callable like uniform_sizes: always the same, which the compiler is not told.
template <std::uint32_t Bytes>
struct fixed_sizes {
    std::uint32_t operator()(std::uint32_t) const noexcept { return Bytes; }
};

/// `Count` blocks allocated, then all freed.
/// Bias: nothing else is alive, so every slab or page becomes empty in each round, and the order is
/// the same each time. The addresses that a contestant hands out decide how often the processor
/// waits for memory: with blocks of one size in random order this outweighs its own work.
template <contestant C, std::uint16_t Count, order How, class Sizes>
void batch(benchmark::State& state) {
    const auto owner = std::make_unique<C>();
    C& heap = *owner; // what a program has in a register, it need not read again
    use(&heap);
    const std::vector<std::uint16_t> indices = freeing_order(How, Count);
    std::vector<held_block> blocks(Count);
    random_stream random{13};
    for (held_block& each : blocks) {
        each.bytes = Sizes{}(static_cast<std::uint32_t>(random.next()));
    }
    while (state.KeepRunningBatch(Count)) {
        for (held_block& each : blocks) {
            each.address = heap.allocate(each.bytes);
            use(each.address);
        }
        for (const std::uint16_t index : indices) {
            heap.deallocate(blocks[index].address, blocks[index].bytes);
        }
    }
}

/// A set of live blocks, one of which is replaced at each step by one of another size.
template <contestant C, class Sizes>
class churning {
public:
    churning(C& heap, std::uint32_t count, std::uint64_t seed)
        : random_(seed), heap_(heap), slots_(count) {
        use(&heap_);
        for (held_block& each : slots_) {
            fill(each, sizes_(static_cast<std::uint32_t>(random_.next())));
        }
    }
    ~churning() {
        for (const held_block& each : slots_) {
            heap_.deallocate(each.address, each.bytes);
        }
    }
    churning(const churning&) = delete;
    churning& operator=(const churning&) = delete;

    void step() {
        const std::uint64_t bits = random_.next();
        const auto count = static_cast<std::uint32_t>(slots_.size());
        held_block& chosen =
            slots_[random_stream::scale(static_cast<std::uint32_t>(bits >> 32), count)];
        heap_.deallocate(chosen.address, chosen.bytes);
        fill(chosen, sizes_(static_cast<std::uint32_t>(bits)));
    }

private:
    void fill(held_block& into, std::uint32_t bytes) {
        void* const block = heap_.allocate(bytes);
        touch(block, bytes);
        into = {block, bytes};
    }

    Sizes sizes_{};
    random_stream random_;
    C& heap_;
    std::vector<held_block> slots_;
};

/// Steps that are timed, of 10 000 blocks and of 400 000: enough to meet many, few enough for all
/// repetitions of the slowest contestant.
inline constexpr benchmark::IterationCount small_churn_steps = 100'000;
inline constexpr benchmark::IterationCount large_churn_steps = 200'000;

/// `Count` live blocks; each step frees one at random and allocates one of a random size. Before
/// the timing as many steps as bring the heap to its steady state.
/// Bias: every block is equally likely to die; in programs the young ones are. The draw of random
/// numbers is timed too, and so are the misses on blocks that were not touched lately.
template <contestant C, class Sizes, std::uint32_t Count>
void churn(benchmark::State& state) {
    const auto heap = std::make_unique<C>();
    churning<C, Sizes> blocks{*heap, Count, 12};
    const std::uint32_t steps = std::max<std::uint32_t>(Count, 100'000);
    for (std::uint32_t step = 0; step != steps; ++step) {
        blocks.step();
    }
    for ([[maybe_unused]] auto _ : state) {
        blocks.step();
    }
}

} // namespace resident::bench
