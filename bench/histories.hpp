/// Histories that show how much of a fixed amount of memory an allocator can give to its user:
/// each returns the requested bytes that are alive when it is refused for the first time.
///
/// `heap` is anything with
///     void* try_allocate(std::size_t bytes);               // null: refused
///     void deallocate(void* block, std::size_t bytes);
/// that starts empty. Blocks are not freed at the end: destroy the heap. What a history itself
/// remembers is in the program's ordinary memory, not in the heap. Seeds are fixed. Nothing here
/// needs exceptions or more than the C++ library.
#pragma once

#include "random.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace resident::bench {

struct history_result {
    std::size_t alive = 0; ///< requested bytes alive at the first refusal that counts
    bool failed = false;   ///< refused where the live bytes were within what had fitted before
};

namespace detail {

struct live_block {
    void* address;
    std::uint32_t bytes;
};

/// The blocks that a history holds, and their requested bytes.
template <class Heap>
class holdings {
public:
    explicit holdings(Heap& heap) noexcept : heap_(heap) {}

    bool allocate(std::uint32_t bytes) {
        void* const address = heap_.try_allocate(bytes);
        if (address == nullptr) {
            return false;
        }
        blocks_.push_back({address, bytes});
        alive_ += bytes;
        return true;
    }

    /// Allocates sizes drawn from `sizes` until the first refusal, or until `limit` bytes are
    /// alive. Returns: whether the limit was reached.
    template <class Sizes>
    bool fill(random_stream& random, const Sizes& sizes, std::size_t limit = SIZE_MAX) {
        while (alive_ < limit) {
            if (!allocate(sizes(static_cast<std::uint32_t>(random.next())))) {
                return false;
            }
        }
        return true;
    }

    /// Frees the block at `index`; the last one takes its place.
    void free_at(std::size_t index) {
        const live_block block = blocks_[index];
        blocks_[index] = blocks_.back();
        blocks_.pop_back();
        alive_ -= block.bytes;
        heap_.deallocate(block.address, block.bytes);
    }

    void free_random(random_stream& random) {
        free_at(random.below(static_cast<std::uint32_t>(blocks_.size())));
    }

    /// Frees blocks chosen at random, in random order, until `kept` are left of those from
    /// `first` on; the ones before `first` stay.
    void thin_out(random_stream& random, std::size_t first, std::size_t kept) {
        while (blocks_.size() > first + kept) {
            const auto candidates = static_cast<std::uint32_t>(blocks_.size() - first);
            free_at(first + random.below(candidates));
        }
    }

    /// Frees every other block, in the order of allocation.
    void free_every_other() {
        std::vector<live_block> rest;
        rest.reserve(blocks_.size() / 2 + 1);
        for (std::size_t index = 0; index != blocks_.size(); ++index) {
            const live_block block = blocks_[index];
            if (index % 2 == 0) {
                rest.push_back(block);
            } else {
                alive_ -= block.bytes;
                heap_.deallocate(block.address, block.bytes);
            }
        }
        blocks_ = std::move(rest);
    }

    [[nodiscard]] std::size_t count() const noexcept { return blocks_.size(); }
    [[nodiscard]] std::size_t alive() const noexcept { return alive_; }

private:
    Heap& heap_;
    std::vector<live_block> blocks_;
    std::size_t alive_ = 0;
};

} // namespace detail

/// Blocks of one size until the first refusal: what metadata and rounding cost.
template <class Heap>
history_result fill_with_one_size(Heap& heap, std::uint32_t bytes) {
    random_stream random{1};
    detail::holdings<Heap> held{heap};
    held.fill(random, one_size{bytes});
    return {held.alive()};
}

/// The log mix (sizes of log_sizes, 16 B to 16 KiB) until the first refusal of any of them.
template <class Heap>
history_result fill_with_log_mix(Heap& heap) {
    random_stream random{2};
    detail::holdings<Heap> held{heap};
    held.fill(random, log_sizes{});
    return {held.alive()};
}

/// Blocks of `before` bytes until the first refusal; all freed in random order; then blocks of
/// `after` bytes until the first refusal. Shows whether memory serves other sizes once empty.
template <class Heap>
history_result change_of_size(Heap& heap, std::uint32_t before, std::uint32_t after) {
    random_stream random{3};
    detail::holdings<Heap> held{heap};
    held.fill(random, one_size{before});
    held.thin_out(random, 0, 0);
    held.fill(random, one_size{after});
    return {held.alive()};
}

namespace detail {

/// 2 M times: a random block is freed, further ones while a block of the next size of the log mix
/// would pass the level, and that size is allocated. Returns: whether all requests were granted.
template <class Heap>
bool replace_log_mix(holdings<Heap>& held, random_stream& random, std::size_t level) {
    const log_sizes sizes;
    for (std::size_t done = 0; done != 2'000'000; ++done) {
        const std::uint32_t bytes = sizes(static_cast<std::uint32_t>(random.next()));
        do {
            held.free_random(random);
        } while (held.alive() + bytes > level);
        if (!held.allocate(bytes)) {
            return false;
        }
    }
    return true;
}

} // namespace detail

/// The log mix up to four fifths of 64 MiB; 2 M replacements at that level, of which a refusal
/// fails the history; the mix until the first refusal. Fragmentation of a long run.
template <class Heap>
history_result log_mix_after_replacements(Heap& heap) {
    constexpr std::size_t level = (std::size_t{64} << 20) / 5 * 4;
    random_stream random{4};
    detail::holdings<Heap> held{heap};
    if (!held.fill(random, log_sizes{}, level) || !detail::replace_log_mix(held, random, level)) {
        return {held.alive(), true};
    }
    held.fill(random, log_sizes{});
    return {held.alive()};
}

/// The same, but filled until the first refusal, and then thinned out to 90 % of that.
template <class Heap>
history_result log_mix_nearly_full(Heap& heap) {
    random_stream random{4};
    detail::holdings<Heap> held{heap};
    held.fill(random, log_sizes{});
    const std::size_t level = held.alive() / 10 * 9;
    while (held.alive() > level) {
        held.free_random(random);
    }
    if (!detail::replace_log_mix(held, random, level)) {
        return {held.alive(), true};
    }
    held.fill(random, log_sizes{});
    return {held.alive()};
}

/// Blocks of 4 KiB until the first refusal; every other one freed, in the order of allocation; then
/// 64 B until the first refusal; the remaining 4 KiB blocks count. Shows whether the gaps between
/// large blocks serve small ones.
template <class Heap>
history_result every_other_freed(Heap& heap) {
    random_stream random{5};
    detail::holdings<Heap> held{heap};
    held.fill(random, one_size{4096});
    held.free_every_other();
    held.fill(random, one_size{64});
    return {held.alive()};
}

/// Phases of one size each, `first` bytes, then twice or half as much each time, to `last`: blocks
/// until the first refusal, then all of this phase freed in random order but one in ten, which
/// stays for good. At last 64 B until the first refusal. Shows how far a few long-lived blocks keep
/// memory from other sizes. Upwards even an allocator that joins neighbours finds little room for
/// the next phase; downwards it can use every gap, and one with slabs only those that became empty.
template <class Heap>
history_result ramp(Heap& heap, std::uint32_t first, std::uint32_t last) {
    random_stream random{6};
    detail::holdings<Heap> held{heap};
    for (std::uint32_t bytes = first;; bytes = first < last ? bytes * 2 : bytes / 2) {
        const std::size_t before = held.count();
        held.fill(random, one_size{bytes});
        held.thin_out(random, before, (held.count() - before) / 10);
        if (bytes == last) {
            break;
        }
    }
    held.fill(random, one_size{64});
    return {held.alive()};
}

/// Sizes of a server: a quarter each of 24 B and 40 B, a fifth each of 72 B and 200 B, a tenth of
/// 4 096 B (buffers, most of the bytes). `shift` turns the shares round by so many places.
struct server_sizes {
    std::uint32_t shift = 0;
    std::uint32_t operator()(std::uint32_t bits) const noexcept {
        constexpr std::array<std::uint32_t, 5> sizes{24, 40, 72, 200, 4096};
        constexpr std::array<std::uint32_t, 20> shares{0, 0, 0, 0, 0, 1, 1, 1, 1, 1,
                                                       2, 2, 2, 2, 3, 3, 3, 3, 4, 4};
        return sizes[(shares[random_stream::scale(bits, 20)] + shift) % sizes.size()];
    }
};

/// The server's sizes until the first refusal: the full amount; all freed. Then 100 bursts: each
/// allocates until 80 % of the full amount are alive, with the shares turned round by one place
/// from burst to burst, and frees at random down to 40 %. A refusal in a burst fails the history.
/// At last the server's sizes until the first refusal.
template <class Heap>
history_result server_bursts(Heap& heap) {
    random_stream random{7};
    detail::holdings<Heap> held{heap};
    held.fill(random, server_sizes{});
    const std::size_t full = held.alive();
    held.thin_out(random, 0, 0);
    for (std::uint32_t burst = 0; burst != 100; ++burst) {
        if (!held.fill(random, server_sizes{burst % 5}, full / 10 * 8)) {
            return {held.alive(), true};
        }
        while (held.alive() > full / 10 * 4) {
            held.free_random(random);
        }
    }
    held.fill(random, server_sizes{});
    return {held.alive()};
}

/// 16 vectors that grow from 64 B to 1 MiB, by doubling: a random one takes a block of twice its
/// size and then frees the old one; beyond 1 MiB it frees what it has and begins again. After each
/// such step 64 nodes of 64 B come, and random nodes go while nodes are more than `nodes_alive`
/// bytes. A refusal among 200 000 steps fails the history. At last 64 B until the first refusal;
/// the vectors count.
template <class Heap>
history_result growing_vectors(Heap& heap, std::size_t nodes_alive = std::size_t{16} << 20) {
    constexpr std::uint32_t smallest = 64;
    constexpr std::uint32_t largest = 1 << 20;
    random_stream random{8};
    detail::holdings<Heap> nodes{heap};
    std::array<detail::live_block, 16> vectors{};
    for (std::uint32_t step = 0; step != 200'000; ++step) {
        detail::live_block& vector = vectors[random.below(vectors.size())];
        const bool begins = vector.bytes == 0 || vector.bytes == largest;
        if (begins && vector.bytes != 0) {
            heap.deallocate(vector.address, vector.bytes);
            vector = {};
        }
        const std::uint32_t bytes = begins ? smallest : vector.bytes * 2;
        void* const block = heap.try_allocate(bytes);
        if (block == nullptr) {
            return {0, true};
        }
        if (!begins) {
            heap.deallocate(vector.address, vector.bytes);
        }
        vector = {block, bytes};
        if (!nodes.fill(random, one_size{64}, nodes.alive() + 64 * 64)) {
            return {0, true};
        }
        while (nodes.alive() > nodes_alive) {
            nodes.free_random(random);
        }
    }
    nodes.fill(random, one_size{64});
    std::size_t alive = nodes.alive();
    for (const detail::live_block& vector : vectors) {
        alive += vector.bytes;
    }
    return {alive};
}

/// The histories by number, for tables and tests.
struct history_name {
    std::string_view name;
    bool goal;            ///< resident's pool is meant to reach 95 % here
    bool is_long = false; ///< of ten million calls and more
};
inline constexpr std::array<history_name, 12> history_names{{
    {"64 B", true},
    {"log mix", true},
    {"64 B freed, then 1 KiB", true},
    {"1 KiB freed, then 64 B", true},
    {"log mix, 2 M replaced", true},
    {"half of 4 KiB, then 64 B", true},
    {"48 B", true},
    {"ramp up, a tenth stays", true, true},
    {"server, 100 bursts", true, true},
    {"growing vectors", true, true},
    {"ramp down, a tenth stays", false},
    {"log mix, 90 % replaced", false},
}};

/// Plays history_names[number] on an empty heap.
template <class Heap>
history_result play_history(std::size_t number, Heap& heap) {
    switch (number) {
    case 0:
        return fill_with_one_size(heap, 64);
    case 1:
        return fill_with_log_mix(heap);
    case 2:
        return change_of_size(heap, 64, 1024);
    case 3:
        return change_of_size(heap, 1024, 64);
    case 4:
        return log_mix_after_replacements(heap);
    case 5:
        return every_other_freed(heap);
    case 6:
        return fill_with_one_size(heap, 48);
    case 7:
        return ramp(heap, 64, 16384);
    case 8:
        return server_bursts(heap);
    case 9:
        return growing_vectors(heap);
    case 10:
        return ramp(heap, 16384, 64);
    case 11:
        return log_mix_nearly_full(heap);
    default:
        return {0, true};
    }
}

} // namespace resident::bench
