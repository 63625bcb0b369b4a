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

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
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

/// Sizes of the log mix (16 B to 16 KiB, log-distributed) until the first refusal of any of them.
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

/// The log mix until the first refusal; then random blocks freed down to 90 % of what was alive
/// then: the level. Then, `replacements` times: a random block is freed, further ones while a block
/// of the next size of the mix would pass the level, and that size is allocated. A refusal among
/// these fails the history: more was alive before. At last the mix until the first refusal.
/// Fragmentation of a long run.
template <class Heap>
history_result log_mix_after_replacements(Heap& heap, std::size_t replacements = 2'000'000) {
    random_stream random{4};
    const log_sizes sizes;
    detail::holdings<Heap> held{heap};
    held.fill(random, sizes);
    const std::size_t level = held.alive() / 10 * 9;
    while (held.alive() > level) {
        held.free_random(random);
    }
    for (std::size_t done = 0; done != replacements; ++done) {
        const std::uint32_t bytes = sizes(static_cast<std::uint32_t>(random.next()));
        do {
            held.free_random(random);
        } while (held.alive() + bytes > level);
        if (!held.allocate(bytes)) {
            return {held.alive(), true};
        }
    }
    held.fill(random, sizes);
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

/// 64 B, 128 B and so on to 16 KiB: each size until the first refusal, then all of that size freed
/// in random order but one in a hundred, which stays for good. At last 64 B until the first
/// refusal. Shows how far a few long-lived blocks keep memory from other sizes.
template <class Heap>
history_result ramp_up(Heap& heap) {
    random_stream random{6};
    detail::holdings<Heap> held{heap};
    for (std::uint32_t bytes = 64; bytes <= 16384; bytes *= 2) {
        const std::size_t first = held.count();
        held.fill(random, one_size{bytes});
        held.thin_out(random, first, (held.count() - first) / 100);
    }
    held.fill(random, one_size{64});
    return {held.alive()};
}

} // namespace resident::bench
