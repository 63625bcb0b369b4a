/// The part of a pool that the inline path sees: one list of free blocks for each size class.
#pragma once

#include "resident/detail/size_classes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace resident {
class unsynchronized_pool_resource;
}

namespace resident::detail {

/// What a free block holds while it is in a list.
struct free_block {
    free_block* next;   ///< null in the list's end mark only
    std::uint32_t room; ///< how many more blocks the list may take on top of this one
};
static_assert(sizeof(free_block) == 16 && std::is_trivial_v<free_block>);

/// The list that allocate and deallocate use inline; last in, first out. It holds free blocks of
/// any of the class's slabs, so neither end needs to know whose a block is.
///
///     head --> [ next | room 5 ] --> [ next | room 6 ] --> end_mark [ null | room 7 ]
///
/// Room is kept in the blocks, so that neither a push nor a pop has a counter to read, change and
/// write: such a chain through memory would be most of their time. A list that must stay empty for
/// a while is *closed*: its head is a mark without room, and every call goes out of line.
///
/// An end mark never changes, and those of a class are alike in all lanes of a pool: a list may end
/// in that of another lane, so a whole one moves between lanes in constant time.
struct alignas(64) class_list {
    free_block* head;
    free_block end_mark; ///< its room is the capacity

    // The rest is for the path out of line.
    free_block* surplus; ///< blocks that the list had and that go back to their slabs
    std::uint32_t surplus_count;
    std::uint32_t capacity;    ///< blocks that the list may have; 0 in a pool that checks calls
    std::uint32_t current;     ///< first granule of the slab that has a part never used, or none
    std::uint32_t partial;     ///< first granule of the first slab with a list of its own, or none
    std::uint32_t carved;      ///< blocks cut from all slabs, in use or free
    std::uint32_t free_listed; ///< blocks that are free in the slabs' own lists
    std::uint32_t reserved;    ///< blocks in use or free that are never given back
    std::uint32_t borrowed;    ///< blocks not of this class's slabs that serve its requests

    /// Returns: a block, or null if the list is empty. 5 instructions on x86-64.
    void* pop() noexcept {
        free_block* const first = head;
        free_block* const second = first->next;
        if (second == nullptr) [[unlikely]]
            return nullptr;
        head = second;
        return first;
    }

    /// Returns: whether the list took the block. 7 instructions on x86-64.
    bool push(void* block) noexcept {
        std::uint32_t room = 0;
        if (__builtin_sub_overflow(head->room, 1u, &room)) [[unlikely]]
            return false;
        head = new (block) free_block{head, room};
        return true;
    }
};
static_assert(sizeof(class_list) == 64, "one cache line a class");

/// Begins the locked memory that a pool keeps its state in: all that the inline path sees.
struct pool_front {
    std::array<class_list, size_classes::count> classes;
    free_block closed_mark; ///< what a closed list consists of; without room
    /// Bytes from the first class to that of a size, by (size + unit - 1) / unit.
    std::array<std::uint16_t, size_classes::small_sizes> class_offsets;
    /// The same for what is larger, by (size + large_unit - 1) / large_unit.
    std::array<std::uint16_t, size_classes::large_sizes> large_class_offsets;
    unsynchronized_pool_resource* handle;

    /// Requires: `list` is that of the request.
    void* allocate(class_list& list, std::size_t bytes, std::size_t alignment) {
        if (void* block = list.pop()) [[likely]]
            return block;
        return allocate_out_of_line(list, bytes, alignment);
    }
    void* try_allocate(class_list& list, std::size_t bytes, std::size_t alignment) noexcept {
        if (void* block = list.pop()) [[likely]]
            return block;
        return try_allocate_out_of_line(list, bytes, alignment);
    }
    void deallocate(class_list& list, void* block, std::size_t bytes,
                    std::size_t alignment) noexcept {
        if (!list.push(block)) [[unlikely]]
            deallocate_out_of_line(list, block, bytes, alignment);
    }
    void* allocate_out_of_line(class_list& list, std::size_t bytes, std::size_t alignment);
    void* try_allocate_out_of_line(class_list& list, std::size_t bytes,
                                   std::size_t alignment) noexcept;
    void deallocate_out_of_line(class_list& list, void* block, std::size_t bytes,
                                std::size_t alignment) noexcept;

    /// From the first class to that of a request whose size is known when compiling; in bytes.
    template <std::size_t Bytes, std::size_t Alignment>
    [[nodiscard]] static constexpr std::size_t offset_for() noexcept {
        constexpr std::size_t needed = Bytes == 0 ? 1 : Bytes;
        constexpr std::size_t rounded = Alignment <= size_classes::unit
                                            ? needed
                                            : (needed + Alignment - 1) / Alignment * Alignment;
        constexpr size_class_index index =
            Alignment <= size_classes::granule ? size_classes::of(rounded) : 0;
        return index * sizeof(class_list);
    }
    /// The same for any request; 0, of class 0 whose list is always empty, for what is not pooled.
    [[nodiscard]] std::size_t offset_for(std::size_t bytes, std::size_t alignment) const noexcept {
        constexpr std::size_t unit = size_classes::unit;
        constexpr std::size_t large_unit = size_classes::large_unit;
        if (alignment > 2 * unit) [[unlikely]] {
            if (alignment > size_classes::granule || bytes > size_classes::largest)
                return 0;
            bytes = (bytes + (bytes == 0) + alignment - 1) & ~(alignment - 1);
        }
        if (bytes <= size_classes::largest_small) [[likely]] {
            if (alignment <= unit)
                return class_offsets[(bytes + unit - 1) / unit];
            return class_offsets[(bytes + 2 * unit - 1) / (2 * unit) * 2];
        }
        if (bytes <= size_classes::largest)
            return large_class_offsets[(bytes + large_unit - 1) / large_unit];
        return 0;
    }

    [[nodiscard]] class_list& class_at(std::size_t offset) noexcept {
        return *reinterpret_cast<class_list*>(reinterpret_cast<std::byte*>(classes.data()) +
                                              offset);
    }
    template <std::size_t Bytes, std::size_t Alignment>
    [[nodiscard]] class_list& class_for() noexcept {
        return class_at(offset_for<Bytes, Alignment>());
    }
    [[nodiscard]] class_list& class_for(std::size_t bytes, std::size_t alignment) noexcept {
        return class_at(offset_for(bytes, alignment));
    }
};

} // namespace resident::detail
