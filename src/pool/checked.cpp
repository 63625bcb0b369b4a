#include "pool/annotations.hpp"
#include "pool/pool_state.hpp"

namespace resident::detail {

void* pool_state::allocate_checked(std::size_t bytes, std::size_t alignment) noexcept {
    const size_class_index index = class_of(bytes, alignment);
    if (!is_pooled(index))
        return allocate_run(bytes, alignment);
    class_list& list = front_.classes[index];
    if (void* block = take_free(list, slab_geometries[index]))
        return block;
    return allocate_from_arena(list, index, alignment);
}

void pool_state::deallocate_checked(void* block, std::size_t bytes,
                                    std::size_t alignment) noexcept {
    (void)bytes;
    (void)alignment;
    if (offset(block) >= capacity())
        return upstream_.deallocate(block);
    free_anywhere(block);
}

std::size_t pool_state::requested_size(const void* /*block*/) const noexcept { return 0; }

} // namespace resident::detail
