/// What every contestant must pass before it is measured: a quick answer that is wrong is worth
/// nothing.
#pragma once

#include "contestants/contestant.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace resident::bench {

/// The blocks that are alive, with a content that is each block's own.
class block_ledger {
public:
    /// Effects: enters a block that operation number `operation` was given, and fills it.
    /// Returns: what is wrong with it, and then does not touch it: it is null, not aligned for
    /// every fundamental type, or overlaps a block that is alive.
    std::string enter(void* block, std::size_t bytes, std::uint64_t operation);

    /// Effects: takes a block out again. Returns: where its content is not what was written.
    std::string leave(void* block);

private:
    struct entry {
        std::size_t bytes;
        std::uint64_t operation;
    };
    std::map<std::uintptr_t, entry> alive_; ///< by address
};

/// A contestant's two calls.
struct heap_calls {
    std::function<void*(std::size_t)> allocate;
    std::function<void(void*, std::size_t)> deallocate;
};

/// How much is played.
struct mixture {
    std::uint32_t live = 2'000;          ///< blocks alive at a time
    std::uint32_t replacements = 10'000; ///< after they were filled in, before they are freed
};

/// Effects: fills, replaces at random and frees blocks of 16 B to 16 KiB, and few up to 100 KiB;
/// the same in each run. Stops at the first defect. Returns: that, or nothing.
std::string play_mixture(const heap_calls& heap, const mixture& played = {});

/// What a contestant is asked beside its two calls.
struct verified_contestant {
    std::string (*prepare)() = nullptr; ///< of its process
    /// Bytes it has given out; none if it does not tell.
    std::optional<std::size_t> (*bytes_in_use)() = nullptr;
    /// What a thread keeps for itself counts as given out until the thread ends.
    bool caches_until_thread_ends = false;
    std::function<std::string()> play; ///< builds a heap, plays the mixture, destroys the heap
};

struct verdict {
    std::string refused{}; ///< what it needs and this process does not get; empty if it does
    std::string defect{};  ///< what no allocator may do; empty if it did none of it
    /// Bytes that a heap kept although everything was given back, and it was destroyed; none if
    /// the contestant does not tell.
    std::optional<std::int64_t> bytes_kept{};

    [[nodiscard]] bool is_broken() const noexcept { return !defect.empty(); }
    /// Why it must not be measured; empty if it may.
    [[nodiscard]] const std::string& reason() const noexcept {
        return is_broken() ? defect : refused;
    }
};

/// Effects: plays in a child process, which a broken allocator may take with it. Played twice: what
/// an allocator sets up for itself at its first use is not kept memory.
verdict verify(const verified_contestant& contestant);

template <contestant C>
verdict verify() {
    verified_contestant asked{.play = [] {
        const auto heap = std::make_unique<C>();
        return play_mixture(
            {[&heap](std::size_t bytes) { return heap->allocate(bytes); },
             [&heap](void* block, std::size_t bytes) { heap->deallocate(block, bytes); }});
    }};
    if constexpr (requires { C::prepare_process(); }) {
        asked.prepare = C::prepare_process;
    }
    if constexpr (requires { C::bytes_in_use(); }) {
        asked.bytes_in_use = [] { return std::optional<std::size_t>{C::bytes_in_use()}; };
    }
    if constexpr (requires { C::caches_until_thread_ends; }) {
        asked.caches_until_thread_ends = C::caches_until_thread_ends;
    }
    return verify(asked);
}

} // namespace resident::bench
