/// The bound, not an allocator: one free list per 16 bytes of size, refilled by bumping a pointer
/// over locked memory. It checks nothing, keeps no metadata and never gives memory from one size to
/// another.
#pragma once

#include "contestants/contestant.hpp"
#include "support/shared_arena.hpp"

#include <array>
#include <cstddef>
#include <new>
#include <span>

namespace resident::bench {

/// The free lists over memory of one's own choice.
class free_lists {
public:
    static constexpr std::size_t largest = std::size_t{128} << 10; // a hash table of 8 192 keys

    explicit free_lists(std::span<std::byte> memory) noexcept
        : next_(memory.data()), end_(memory.data() + memory.size()) {}

    /// Null if the memory is used up, for this size. Requires: 1 to `largest` bytes.
    void* try_allocate(std::size_t bytes) noexcept {
        const std::size_t index = (bytes + 15) / 16;
        if (link* const head = heads_[index]; head != nullptr) [[likely]] {
            heads_[index] = head->next;
            return head;
        }
        return bump(index * 16);
    }

    void deallocate(void* block, std::size_t bytes) noexcept {
        link*& head = heads_[(bytes + 15) / 16];
        head = ::new (block) link{head};
    }

private:
    struct link {
        link* next;
    };

    void* bump(std::size_t bytes) noexcept {
        if (static_cast<std::size_t>(end_ - next_) < bytes) [[unlikely]] {
            return nullptr;
        }
        std::byte* const block = next_;
        next_ += bytes;
        return block;
    }

    std::byte* next_;
    std::byte* end_;
    std::array<link*, largest / 16 + 1> heads_{};
};

class reference : public on_shared_arena {
public:
    static constexpr const char* name = "ref";
    static constexpr const char* what =
        "the bound: a free list per 16 bytes that checks nothing and gives nothing back";

    void* allocate(std::size_t bytes) noexcept { return lists_.try_allocate(bytes); }
    void deallocate(void* block, std::size_t bytes) noexcept { lists_.deallocate(block, bytes); }

private:
    arena_run run_;
    free_lists lists_{run_.memory()};
};

} // namespace resident::bench
