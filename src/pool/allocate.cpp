#include "pool/pool_state.hpp"

#include <new>

namespace resident::detail {

/// Refills the list, but for a block to return.
void* pool_state::refill(class_list& list) noexcept {
    if (list.partial == none) [[likely]]
        return carve(list, geometry_of(list).carved_at_once);
    return record(list.partial).free <= list.capacity ? adopt(list) : take_one(list);
}

/// Takes a partial slab's own list over: its first block to return, the others for the list.
inline void* pool_state::adopt(class_list& list) noexcept {
    const std::uint32_t first = list.partial;
    granule_record& slab = record(first);
    free_block* const block = first_free(slab, first);
    list.partial = slab.next;
    if (slab.next != none)
        record(slab.next).previous = none;
    list.free_listed -= slab.free;
    slab.free = 0;
    list.head = block->next;
    return block;
}

/// Cuts up to `most` blocks from the part of the current slab that was never used so far: one to
/// return, the others for the list.
inline void* pool_state::carve(class_list& list, std::uint32_t most) noexcept {
    const std::uint32_t first = list.current;
    granule_record& slab = record(first);
    const std::size_t size = geometry_of(list).block_size;
    const std::uint32_t left = std::uint32_t{slab.blocks} - slab.carved;
    const std::uint32_t count = left < most ? left : most;
    const std::size_t at = std::size_t{first} * size_classes::granule + slab.carved * size;
    slab.carved = static_cast<std::uint16_t>(slab.carved + count);
    list.carved += count;
    if (left == count)
        list.current = none;
    note_distance(at, first);
    std::byte* const block = base_ + at;
    if (count == 1)
        return block;
    note_distance(at + (count - 1) * size, first); // together they span no more than a granule
    free_block* head = list.head;
    std::uint32_t room = head->room;
    std::byte* other = block + count * size;
    do {
        other -= size;
        head = new (other) free_block{head, --room};
    } while (other != block + size);
    list.head = head;
    return block;
}

/// Null if the arena has no room. Requires: nothing to refill the list with.
inline void* pool_state::allocate_rarely(class_list& list, std::size_t bytes,
                                         std::size_t alignment) noexcept {
    if (is_open(list)) [[likely]]
        return allocate_from_arena(list, alignment);
    return allocate_past_list(list, bytes, alignment);
}

/// For a class whose list must stay empty.
void* pool_state::allocate_past_list(class_list& list, std::size_t bytes,
                                     std::size_t alignment) noexcept {
    if (closed_)
        return allocate_checked(bytes, alignment);
    if (!is_pooled(index_of(list)))
        return allocate_run(bytes, alignment);
    if (void* const block = take_free(list))
        return block;
    return allocate_from_arena_out_of_line(list, alignment);
}

/// Makes the surplus the list again, but for its first block, which is returned.
void* pool_state::end_surplus(class_list& list) noexcept {
    list.head = list.surplus;
    list.surplus_count = 0;
    return list.pop();
}

inline void* pool_state::allocate_from_arena(class_list& list, std::size_t alignment) noexcept {
    if (runs_.is_nearly_used_up()) [[unlikely]] // leave what is left to those who need more of it
        if (void* const block = borrow_block(list, classes_near, alignment))
            return block;
    const slab_geometry& geometry = geometry_of(list);
    ++arena_visits_;
    const std::uint32_t first =
        runs_.allocate_slab(most_granules(geometry), geometry.frugal, geometry.least);
    if (first == none) [[unlikely]]
        return allocate_when_exhausted(list, alignment);
    return begin_slab(list, first);
}

/// Makes the run a slab of the class, the current one, and returns its first block.
/// Requires: no current slab.
inline void* pool_state::begin_slab(class_list& list, std::uint32_t first) noexcept {
    const slab_geometry& geometry = geometry_of(list);
    granule_record& slab = record(first);
    own(first, index_of(list));
    std::uint32_t blocks = 1;
    if (!geometry.is_run)
        blocks = slab.length() * std::uint32_t{size_classes::granule} / geometry.block_size;
    if (blocks != 1)
        list.current = first;
    slab.free = 0;
    slab.carved = 1;
    slab.blocks = static_cast<std::uint16_t>(blocks);
    ++list.carved;
    return address(first);
}

void* pool_state::allocate_from_arena_out_of_line(class_list& list,
                                                  std::size_t alignment) noexcept {
    return allocate_from_arena(list, alignment);
}

void* pool_state::begin_slab_out_of_line(class_list& list, std::uint32_t first) noexcept {
    return begin_slab(list, first);
}

void* pool_state::carve_out_of_line(class_list& list) noexcept { return carve(list, 1); }

void* pool_state::allocate_when_exhausted(class_list& list, std::size_t alignment) noexcept {
    const std::uint32_t first = take_slab_when_exhausted(geometry_of(list));
    return first != none ? begin_slab(list, first)
                         : borrow_block(list, size_classes::count, alignment);
}

/// Returns: a free block of the class, or null; does not visit the arena, and adds none to the
/// list.
void* pool_state::take_free(class_list& list) noexcept {
    if (void* const block = list.pop())
        return block;
    if (list.surplus_count != 0)
        return end_surplus(list);
    if (list.partial != none)
        return take_one(list);
    return list.current != none ? carve(list, 1) : nullptr;
}

/// Takes a block of a slab's own list; null if a closed pool finds that it was written to.
/// Requires: a partial slab.
void* pool_state::take_one(class_list& list) noexcept {
    const std::uint32_t first = list.partial;
    granule_record& slab = record(first);
    void* const block =
        closed_ ? take_checked(list, slab, first) : take_from_slab(list, slab, first);
    if (slab.free == 0)
        unlink_partial(list, first);
    return block;
}

void* pool_state::take_from_slab(class_list& list, granule_record& slab,
                                 std::uint32_t first) noexcept {
    free_block* const taken = first_free(slab, first);
    --slab.free;
    --list.free_listed;
    if (slab.free != 0)
        slab.head = units_from(first, taken->next);
    return taken;
}

void* pool_state::allocate_run(std::size_t bytes, std::size_t alignment) noexcept {
    ++arena_visits_;
    void* run = runs_.allocate(bytes, alignment);
    if (run == nullptr) {
        run = take_run_when_exhausted(bytes, alignment);
        if (run == nullptr)
            return nullptr;
    }
    const std::uint32_t first = first_granule_at(run);
    own(first, 0);
    runs_in_use_ += record(first).length() * size_classes::granule;
    return run;
}

void* pool_state::try_allocate_slowly(class_list& list, std::size_t bytes,
                                      std::size_t alignment) noexcept {
    if (void* const block = allocate_rarely(list, bytes, alignment)) [[likely]]
        return block;
    return try_allocate_upstream(list, bytes, alignment);
}

void* pool_state::allocate_slowly(class_list& list, std::size_t bytes, std::size_t alignment) {
    if (void* const block = allocate_rarely(list, bytes, alignment)) [[likely]]
        return block;
    return allocate_upstream(list, bytes, alignment);
}

void* pool_front::try_allocate_out_of_line(class_list& list, std::size_t bytes,
                                           std::size_t alignment) noexcept {
    auto& pool = static_cast<pool_state&>(*this);
    if (pool.can_refill(list)) [[likely]]
        return pool.refill(list);
    return pool.try_allocate_slowly(list, bytes, alignment);
}

void* pool_front::allocate_out_of_line(class_list& list, std::size_t bytes, std::size_t alignment) {
    auto& pool = static_cast<pool_state&>(*this);
    if (pool.can_refill(list)) [[likely]]
        return pool.refill(list);
    return pool.allocate_slowly(list, bytes, alignment);
}

} // namespace resident::detail
