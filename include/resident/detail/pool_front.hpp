/// The part of a pool that the inline path sees: one list of free blocks for each size class.
#pragma once

#include "resident/detail/size_classes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace resident::detail {

/// What a free block holds while it is in a list.
struct free_block {
    free_block* next;   ///< null in the list's end mark only
    std::uint32_t room; ///< how many more blocks the list may take on top of this one
};
static_assert(sizeof(free_block) == 16 && std::is_trivial_v<free_block>);

/// The list that allocate and deallocate use inline; last in, first out.
///
///     head --> [ next | room 5 ] --> [ next | room 6 ] --> end_mark [ null | room 7 ]
///              block in begin..begin + span                 lies in this structure
///
/// Room is kept in the blocks, so that neither a push nor a pop has a counter to read, change and
/// write: such a chain through memory would be most of their time. A list that is closed, because
/// the pool checks each call, has no room and takes from nowhere.
struct alignas(64) class_list {
    free_block* head;
    std::uintptr_t begin; ///< only blocks in [begin, begin + span) may be pushed
    std::size_t span;     ///< bytes
    free_block end_mark;

    // The rest is for the path out of line.
    std::uint32_t active;      ///< first granule of the slab whose blocks the list holds, or a mark
    std::uint32_t partial;     ///< first granule of the first other slab with free blocks, or none
    std::uint32_t carved;      ///< blocks cut from all slabs, in use or free
    std::uint32_t free_listed; ///< blocks that are free in slabs other than the active one
    std::uint32_t reserved;    ///< blocks in use or free that are never given back
    std::uint16_t sparse;      ///< slabs, not active, with too few blocks in use to cache blocks
    std::uint16_t borrowed;    ///< blocks of larger classes that serve this one; saturates

    /// Returns: a block, or null if the list is empty. 6 instructions on x86-64.
    void* pop() noexcept {
        free_block* const first = head;
        free_block* const second = first->next;
        if (second == nullptr) [[unlikely]]
            return nullptr;
        head = second;
        return first;
    }

    /// Returns: whether the list took the block. 11 instructions on x86-64.
    bool push(void* block) noexcept {
        if (reinterpret_cast<std::uintptr_t>(block) - begin >= span) [[unlikely]]
            return false;
        std::uint32_t room = 0;
        if (__builtin_sub_overflow(head->room, 1u, &room)) [[unlikely]]
            return false;
        head = new (block) free_block{head, room};
        return true;
    }
};
static_assert(sizeof(class_list) == 64, "one cache line a class");

/// Begins the locked memory that a pool keeps its state in.
struct pool_front {
    std::array<class_list, size_classes::count> classes;
    std::array<size_class_index, size_classes::table_size> class_of_units;

    /// The class for a request; class 0, whose list is always empty, for what is not pooled.
    [[nodiscard]] class_list& class_for(std::size_t bytes, std::size_t alignment) noexcept {
        if (bytes <= size_classes::largest_fine && alignment <= size_classes::granule) [[likely]] {
            if (alignment > 2 * size_classes::unit)
                bytes = (bytes + (bytes == 0) + alignment - 1) & ~(alignment - 1);
            else if (alignment > size_classes::unit)
                bytes = (bytes + alignment - 1) & ~(alignment - 1); // 0 bytes get 16 anyway
            constexpr std::size_t unit = size_classes::unit;
            return classes[class_of_units[(bytes + unit - 1) / unit]];
        }
        return classes[alignment <= size_classes::granule ? size_classes::of(bytes) : 0];
    }
};

} // namespace resident::detail
