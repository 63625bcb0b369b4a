#include "pool/annotations.hpp"
#include "pool/free_link.hpp"
#include "pool/pool_checks.hpp"

#include <algorithm>
#include <bit>

namespace resident::detail {

void* pool_state::allocate_checked(std::size_t bytes, std::size_t alignment) noexcept {
    return pool_checks(*this).allocate(bytes, alignment);
}

void pool_state::deallocate_checked(void* block, std::size_t bytes,
                                    std::size_t alignment) noexcept {
    pool_checks(*this).deallocate(block, bytes, alignment);
}

void* pool_checks::allocate(std::size_t bytes, std::size_t alignment) noexcept {
    const block_request request{bytes, alignment};
    if (bytes > arena::max_supported_capacity)
        return nullptr; // and guards would overflow it
    std::byte* const begin = take_block(request);
    if (begin == nullptr)
        return nullptr;
    const std::uint32_t first = pool_.first_granule(begin);
    const granule_record& slab = pool_.record(first);
    const block_place at = place_at(first, begin);
    if (slab.size_class == 0)
        note_run(first, request);
    if (slab.size_class == 0 || slab.carved == 1) // else it was hidden then
        annotate_hidden(pool_.address(first), slab.length() * size_classes::granule);
    std::byte* memory = begin;
    if (full_) {
        annotate_opened(begin, at.extent);
        memory = guarded_block(begin, at.extent, request).begin_use();
        annotate_hidden(begin, at.extent);
        // Memory may lie in a granule where no block begins; deallocate finds the slab from there.
        pool_.note_distance(pool_.offset(memory), first);
    }
    pool_.requested_ += bytes;
    annotate_allocated(&pool_, memory, std::max<std::size_t>(bytes, 1));
    return memory;
}

size_class_index pool_state::class_of_checked(std::size_t bytes, std::size_t alignment) noexcept {
    if (bytes > size_classes::largest)
        return 0;
    return pool_checks(*this).class_of({bytes, alignment});
}

size_class_index pool_checks::class_of(const block_request& request) const noexcept {
    const size_class_index index =
        pool_.class_of(full_ ? guarded_block::enlarged(request) : request.bytes, request.alignment);
    return pool_.is_pooled(index) ? index : size_class_index{0};
}

std::byte* pool_checks::take_block(const block_request& request) noexcept {
    const size_class_index index = class_of(request);
    if (index == 0)
        return static_cast<std::byte*>(pool_.allocate_run(
            full_ ? guarded_block::enlarged(request) : request.bytes, request.alignment));
    class_list& list = pool_.classes[index];
    void* block = nullptr;
    do { // again where a slab's free blocks had to be abandoned
        block = pool_.take_free(list);
    } while (block == nullptr &&
             (list.partial != pool_state::none || list.current != pool_state::none));
    if (block == nullptr)
        block = pool_.allocate_from_arena_out_of_line(list, request.alignment);
    if (block != nullptr)
        forget_link(static_cast<free_block*>(block));
    return static_cast<std::byte*>(block);
}

void* pool_state::take_checked(class_list& list, granule_record& slab,
                               std::uint32_t first) noexcept {
    return pool_checks(*this).take(list, slab, first);
}

void* pool_checks::take(class_list& list, granule_record& slab, std::uint32_t first) noexcept {
    free_block* const taken = pool_.first_free(slab, first);
    const block_place at = place_at(first, taken);
    const free_block link = read_link(taken);
    if (!is_link(link, list, slab, at)) [[unlikely]] {
        report_link(at, slab.free);
        list.free_listed -= slab.free;
        slab.free = 0;
        return nullptr;
    }
    --slab.free;
    --list.free_listed;
    if (slab.free != 0)
        slab.head = pool_.units_from(first, link.next);
    if (full_) {
        annotate_opened(at.begin, at.extent);
        check_free({.name = "allocate"}, at, guarded(at));
        annotate_hidden(at.begin, at.extent);
    }
    return taken;
}

/// The last block leads to the end mark, the others to another block that was cut from the slab,
/// and is free: room says of both how many are to follow.
bool pool_checks::is_link(const free_block& link, const class_list& list,
                          const granule_record& slab, const block_place& at) const noexcept {
    if (link.room != pool_state::room_above(list, slab.free - 1U))
        return false;
    if (slab.free == 1)
        return link.next == &list.end_mark;
    const std::size_t offset = pool_.offset(link.next) - pool_.offset(at.slab);
    return offset < slab.carved * at.extent && offset % at.extent == 0 &&
           read_link(link.next).room == pool_state::room_above(list, slab.free - 2U);
}

void pool_checks::deallocate(void* memory, std::size_t bytes, std::size_t alignment) noexcept {
    const checked_call call{.name = "deallocate",
                            .has_address = true,
                            .address = memory,
                            .bytes = bytes,
                            .alignment = alignment};
    if (pool_.offset(memory) >= pool_.capacity()) {
        if (check_outside(call))
            pool_.upstream_.deallocate(memory);
        return;
    }
    block_place at;
    if (!locate(memory, at))
        return report_unknown(call);
    if (full_ ? check_guarded(call, at) : check_unguarded(call, at))
        free_block_at(call, at);
}

/// Requires: all checks passed; at check_level::full the block is opened.
void pool_checks::free_block_at(const checked_call& call, const block_place& at) noexcept {
    block_request request{call.bytes, call.alignment};
    if (full_ || at.size_class == 0)
        request = request_of(at);
    const bool told = request.bytes != unknown_size;
    if (full_ && at.size_class != 0) { // check_class does so otherwise
        class_list& asked = pool_.classes[class_of(request)];
        if (&asked != &pool_.classes[at.size_class])
            pool_.note_return(asked);
    }
    pool_.requested_ -= std::min(pool_.requested_, told ? request.bytes : at.extent);
    annotate_freed(&pool_, call.address);
    annotate_opened(at.begin, at.extent);
    if (full_)
        guarded(at).end_use();
    if (at.size_class == 0)
        pool_.record(at.first).carved = 0; // as note_run has it
    const std::size_t held = pool_.held_;
    pool_.free_anywhere(at.begin);
    if (pool_.held_ == held) // else it is the arena's again
        annotate_hidden(at.begin, at.extent);
}

std::size_t pool_state::usable_size_checked(const void* block) const noexcept {
    return pool_checks(const_cast<pool_state&>(*this)).usable_size(block);
}

/// Who asks may use what there is; at check_level::full that is what was requested.
std::size_t pool_checks::usable_size(const void* memory) const noexcept {
    block_place at;
    if (!locate(memory, at))
        return 0;
    if (!full_) {
        annotate_enlarged(&pool_, memory, at.extent);
        return at.extent;
    }
    if (at.size_class == 0)
        return run_request(at.first).bytes;
    annotate_opened(at.begin, guarded_block::header_end);
    const std::size_t bytes = guarded(at).request().bytes;
    annotate_hidden(at.begin, guarded_block::header_end);
    return bytes;
}

bool pool_checks::locate(const void* address, block_place& at) const noexcept {
    const auto granule = static_cast<std::uint32_t>(pool_.offset(address) / size_classes::granule);
    const std::uint32_t distance = pool_.record(granule).distance; // maybe a former slab's
    const std::uint32_t first = granule - distance;
    const granule_record& run = pool_.record(first);
    // The pool's number is on the first granules of its runs alone. Runs do not overlap: if this
    // one reaches as far, the address lies in it.
    if (run.owner != pool_.owner_ || distance >= run.length() ||
        first == pool_.first_granule_at(&pool_))
        return false;
    at = place_at(first, address);
    return true;
}

block_place pool_checks::place_at(std::uint32_t first, const void* address) const noexcept {
    const granule_record& run = pool_.record(first);
    std::byte* const begin = pool_.address(first);
    if (run.size_class == 0)
        return {.begin = begin, .extent = run.length() * size_classes::granule, .first = first};
    const std::size_t size = slab_geometries[run.size_class].block_size;
    const auto number =
        static_cast<std::uint32_t>((pool_.offset(address) - pool_.offset(begin)) / size);
    return {.begin = begin + number * size,
            .extent = size,
            .slab = begin,
            .number = number,
            .first = first,
            .size_class = run.size_class};
}

/// As the block itself says, or what is known of a run.
guarded_block pool_checks::guarded(const block_place& at) const noexcept {
    return at.size_class != 0 ? guarded_block(at.begin, at.extent)
                              : guarded_block(at.begin, at.extent, run_request(at.first));
}

block_request pool_checks::request_of(const block_place& at) const noexcept {
    return at.size_class != 0 ? guarded(at).request() : run_request(at.first);
}

// An unpooled run's record has nothing else to say: links are of free runs, and of partial slabs.

void pool_checks::note_run(std::uint32_t first, const block_request& request) noexcept {
    granule_record& run = pool_.record(first);
    run.next = static_cast<std::uint32_t>(request.bytes);
    run.previous = static_cast<std::uint32_t>(request.bytes >> 32);
    run.head = static_cast<std::uint16_t>(std::countr_zero(request.alignment));
    run.carved = 1;
}

block_request pool_checks::run_request(std::uint32_t first) const noexcept {
    const granule_record& run = pool_.record(first);
    return {run.next | std::size_t{run.previous} << 32, std::size_t{1} << run.head};
}

} // namespace resident::detail
