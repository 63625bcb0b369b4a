/// All of a pool but the handle; lies in a run of the arena, locked as everything there.
#pragma once

#include "arena/run_source.hpp"
#include "pool/slab_geometry.hpp"
#include "pool/upstream_blocks.hpp"
#include "resident/detail/pool_front.hpp"
#include "resident/misuse.hpp"
#include "resident/pool_options.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory_resource>

namespace resident::detail {

class lane_group;

/// Throws std::bad_alloc; in a build without exceptions: says what there was, and aborts.
[[noreturn]] void raise_bad_alloc(const arena& exhausted, std::size_t bytes);

/// What the lanes of a group count, and what their runs add up to, in bytes. A run may be given
/// back by another lane than the one that took it: so only the sums are equal.
struct lane_totals {
    std::size_t counted_held = 0;
    std::size_t counted_runs = 0;
    std::size_t held = 0;
    std::size_t runs = 0;
};

/// The options of a pool as it tells them.
[[nodiscard]] inline pool_options with_chosen_values(pool_options options) noexcept {
    if (options.max_blocks_per_chunk == 0)
        options.max_blocks_per_chunk = most_blocks;
    return options;
}

/// What is known of a slab lies in the record of its first granule (granule_record):
///
///     granule     0           1           2           3
///     slab        [ b0 ][ b1 ][ b2 ][ b3 ][ b4 ][ never used so far       ]
///     distance    0           1           2           -       where a block begins: back to 0
///     owner       this pool                                   head, free, carved, blocks, class
///
/// A free block is in one of two places:
///
/// - its class's list, which has up to as many blocks as two usual slabs, of any slabs of the
/// class.
///   To the slab they count as in use, so the inline path has nothing to write down;
/// - its slab's own list, when the class's list was full. Slabs that have one are linked, as the
///   class's partial slabs. The lists have the same form: when the class's is used up it takes over
///   a partial slab's whole, in constant time, or else some blocks cut from the current slab, the
///   only one with a part that was never used.
///
/// A slab all of whose blocks are in its own list goes back to the arena at once, unless it is the
/// current one or its blocks are reserved. So that the class's list does not keep slabs in vain,
/// it becomes *surplus* when it is full and has more blocks than are in use: from then on each
/// block freed takes one of the surplus along to its slab, until the list is needed again.
///
/// A class some of whose requests are served by others' blocks has an empty list meanwhile, so that
/// each block returns where it is from; so have all classes of a closed pool, which checks calls.
class pool_state : public pool_front {
public:
    static constexpr std::uint32_t none = run_allocator::none;
    /// Larger classes from which blocks are borrowed before the arena is used up.
    static constexpr unsigned classes_near = 4;

    /// Requires: to lie in a run of `source` by itself; `owner` is new. `handle` is null, and
    /// `group` is not, if it is a lane.
    pool_state(const pool_options& options, arena& source, std::uint16_t owner,
               std::pmr::memory_resource* upstream, unsynchronized_pool_resource* handle,
               lane_group* group = nullptr) noexcept;
    /// Effects: release(), and gives the state's own run back.
    static void destroy(pool_state* doomed) noexcept;
    pool_state(const pool_state&) = delete;
    pool_state& operator=(const pool_state&) = delete;

    /// What pool_front does out of line. Requires: `list` is the request's, and empty.
    [[nodiscard]] static bool can_refill(const class_list& list) noexcept {
        return (list.partial & list.current) != none && is_open(list);
    }
    void* refill(class_list& list) noexcept;
    [[gnu::noinline]] void* allocate_slowly(class_list& list, std::size_t bytes,
                                            std::size_t alignment);
    [[gnu::noinline]] void* try_allocate_slowly(class_list& list, std::size_t bytes,
                                                std::size_t alignment) noexcept;
    /// Requires: `list`, which is the request's, did not take the block.
    void deallocate_slowly(class_list& list, void* block, std::size_t bytes,
                           std::size_t alignment) noexcept;
    void deallocate_unsized(void* block) noexcept;
    static constexpr std::size_t unknown_size = ~std::size_t{0};

    [[nodiscard]] std::size_t usable_size(const void* block) const noexcept;
    /// As unsynchronized_pool_resource has them.
    [[nodiscard]] bool owns(const void* address) const noexcept;
    bool reserve(std::size_t bytes, std::size_t count, std::size_t alignment) noexcept;
    void trim() noexcept;
    void release() noexcept;
    [[nodiscard]] pool_statistics statistics() const noexcept;
    void add_up(pool_statistics& all) const noexcept;
    [[nodiscard]] const char* check() const noexcept;
    [[nodiscard]] const char* check_lane(lane_totals& totals) const noexcept;

    [[nodiscard]] const pool_options& options() const noexcept { return options_; }
    [[nodiscard]] std::pmr::memory_resource* upstream() const noexcept {
        return upstream_.resource();
    }
    [[nodiscard]] arena& source() const noexcept { return source_; }

private:
    friend struct pool_inspector; // the tests' one door
    friend class pool_checker;    // check.cpp
    friend class pool_checks;     // what a closed pool does
    friend class lane;            // the pool of one thread
    friend class lane_group;

    // allocate.cpp
    [[gnu::always_inline]] void* allocate_rarely(class_list& list, std::size_t bytes,
                                                 std::size_t alignment) noexcept;
    void* adopt(class_list& list) noexcept;
    void* end_surplus(class_list& list) noexcept;
    void* carve(class_list& list, std::uint32_t most) noexcept;
    void* take_one(class_list& list) noexcept;
    void* take_from_slab(class_list& list, granule_record& slab, std::uint32_t first) noexcept;
    void* allocate_past_list(class_list& list, std::size_t bytes, std::size_t alignment) noexcept;
    [[gnu::always_inline]] void* allocate_from_arena(class_list& list,
                                                     std::size_t alignment) noexcept;
    void* allocate_from_arena_out_of_line(class_list& list, std::size_t alignment) noexcept;
    void* begin_slab(class_list& list, std::uint32_t first) noexcept;
    void* begin_slab_out_of_line(class_list& list, std::uint32_t first) noexcept;
    void* carve_out_of_line(class_list& list) noexcept; ///< one block
    void* allocate_when_exhausted(class_list& list, std::size_t alignment) noexcept;
    void* take_free(class_list& list) noexcept;
    void* allocate_run(std::size_t bytes, std::size_t alignment) noexcept;

    // deallocate.cpp
    [[gnu::noinline]] void deallocate_rarely(class_list& list, void* block, std::size_t bytes,
                                             std::size_t alignment) noexcept;
    [[nodiscard]] static bool changes_more(const class_list& list,
                                           const granule_record& slab) noexcept;
    [[nodiscard]] static bool has_too_many(const class_list& list) noexcept;
    void add_to_slab(class_list& list, granule_record& slab, std::uint32_t first,
                     void* block) noexcept;
    [[gnu::noinline]] void free_beyond_limit(class_list& list, std::uint32_t first,
                                             void* block) noexcept;
    void free_owned(std::uint32_t first, void* block) noexcept;
    void free_anywhere(void* block) noexcept;
    [[gnu::noinline]] void free_all_anywhere(free_block* block) noexcept;
    [[nodiscard]] bool is_elsewhere(const void* block) const noexcept; // lane.cpp
    void free_elsewhere(void* block) noexcept;                         // lane.cpp
    void free_run(std::uint32_t first) noexcept;
    [[gnu::always_inline]] void free_in_slab(class_list& list, std::uint32_t first,
                                             void* block) noexcept;
    bool retire(class_list& list, std::uint32_t first, bool linked) noexcept;
    void begin_surplus(class_list& list) noexcept;
    void reduce_surplus(class_list& list) noexcept;
    void empty_list(class_list& list) noexcept;
    void link_partial(class_list& list, std::uint32_t first) noexcept;
    void unlink_partial(class_list& list, std::uint32_t first) noexcept;

    // statistics.cpp
    [[nodiscard]] std::size_t largest_request(std::size_t block_size) const noexcept;

    // pool_state.cpp
    void begin_lists() noexcept;

    // exhaustion.cpp
    /// Count and tell what is refused.
    void* allocate_upstream(class_list& list, std::size_t bytes, std::size_t alignment);
    void* try_allocate_upstream(class_list& list, std::size_t bytes,
                                std::size_t alignment) noexcept;
    std::uint32_t take_slab_when_exhausted(const slab_geometry& geometry) noexcept;
    void* take_run_when_exhausted(std::size_t bytes, std::size_t alignment) noexcept;
    template <typename Take>
    std::uint32_t take_when_exhausted(std::uint32_t wanted, std::uint32_t least,
                                      Take take) noexcept;
    unsigned give_back_from(unsigned next, std::uint32_t wanted) noexcept;
    void give_back_current(class_list& list) noexcept;
    bool give_back_tail(class_list& list, std::uint32_t wanted) noexcept;
    bool shrink(std::uint32_t first, std::uint32_t length, std::uint32_t wanted) noexcept;
    void* borrow_block(class_list& borrower, unsigned near, std::size_t alignment) noexcept;
    [[gnu::noinline]] void note_loan(class_list& list) noexcept;
    void note_return(class_list& list) noexcept;
    void note_failure(std::size_t bytes, std::size_t alignment) noexcept;

    // reserve.cpp
    bool reserve_blocks(class_list& list, size_class_index index, std::size_t count) noexcept;
    void cut_completely(class_list& list, std::uint32_t first, size_class_index index) noexcept;
    void give_back_empty_slabs(class_list& list) noexcept;
    [[nodiscard]] std::size_t free_blocks(const class_list& list) const noexcept;

    // checked.cpp and inspection.cpp: a closed pool's ways, see pool_checks
    void* allocate_checked(std::size_t bytes, std::size_t alignment) noexcept;
    void deallocate_checked(void* block, std::size_t bytes, std::size_t alignment) noexcept;
    void* take_checked(class_list& list, granule_record& slab, std::uint32_t first) noexcept;
    [[nodiscard]] size_class_index class_of_checked(std::size_t bytes,
                                                    std::size_t alignment) noexcept;
    [[nodiscard]] std::size_t usable_size_checked(const void* block) const noexcept;
    void hide_free_slab(std::uint32_t first) noexcept;
    void inspect_before_giving_back(std::uint32_t first) noexcept;
    void report_leaks() noexcept;

    [[nodiscard]] size_class_index class_of(std::size_t bytes, std::size_t alignment) noexcept {
        return index_of(class_for(bytes, alignment));
    }
    [[nodiscard]] granule_record& record(std::uint32_t granule) const noexcept {
        return records_[granule];
    }
    [[nodiscard]] std::byte* address(std::uint32_t granule) const noexcept {
        return base_ + std::size_t{granule} * size_classes::granule;
    }
    [[nodiscard]] std::size_t offset(const void* block) const noexcept {
        return reinterpret_cast<std::uintptr_t>(block) - reinterpret_cast<std::uintptr_t>(base_);
    }
    [[nodiscard]] std::size_t capacity() const noexcept {
        return std::size_t{runs_.capacity()} * size_classes::granule;
    }
    /// Requires: a block of this pool.
    [[nodiscard]] std::uint32_t first_granule(const void* block) const noexcept {
        const auto granule = static_cast<std::uint32_t>(offset(block) / size_classes::granule);
        return granule - record(granule).distance;
    }
    /// The same for where a block may begin; `none` if it is none of this pool.
    [[nodiscard]] std::uint32_t first_if_owned(const void* block) const noexcept {
        if (offset(block) >= capacity())
            return none;
        const auto granule = static_cast<std::uint32_t>(offset(block) / size_classes::granule);
        const std::uint32_t distance =
            record(granule).distance_now(); // maybe left over from another slab
        const std::uint32_t first = granule - distance;
        if (distance > granule || record(first).owner_now() != owner_)
            return none;
        return distance < record(first).length() ? first : none;
    }
    [[nodiscard]] free_block* first_free(const granule_record& slab,
                                         std::uint32_t first) const noexcept {
        return reinterpret_cast<free_block*>(address(first) + slab.head * size_classes::unit);
    }
    [[nodiscard]] std::uint16_t units_from(std::uint32_t first, const void* block) const noexcept {
        return static_cast<std::uint16_t>(
            (offset(block) - std::size_t{first} * size_classes::granule) / size_classes::unit);
    }
    /// Free blocks in the list, and of its surplus.
    [[nodiscard]] static std::uint32_t depth(const class_list& list) noexcept {
        const free_block* const first = list.head;
        return list.surplus_count + (first->next == nullptr ? 0 : list.capacity - first->room);
    }
    /// Those of the current slab that were never used so far.
    [[nodiscard]] std::size_t uncut_blocks(const class_list& list) const noexcept {
        if (list.current == none)
            return 0;
        return std::size_t{record(list.current).blocks} - record(list.current).carved;
    }
    [[nodiscard]] size_class_index index_of(const class_list& list) const noexcept {
        return static_cast<size_class_index>(&list - classes.data());
    }
    [[nodiscard]] const slab_geometry& geometry_of(const class_list& list) const noexcept {
        return slab_geometries[index_of(list)];
    }
    /// Writes down, for the granule `at`, how far its slab's first granule is. Not twice: another
    /// thread may be reading it, for a block that begins there, too.
    void note_distance(std::size_t at, std::uint32_t first) noexcept {
        const auto granule = static_cast<std::uint32_t>(at / size_classes::granule);
        const auto distance = static_cast<std::uint8_t>(granule - first);
        if (record(granule).distance != distance)
            record(granule).set_distance(distance);
    }
    [[nodiscard]] static std::uint16_t class_offset(std::size_t bytes) noexcept {
        return static_cast<std::uint16_t>(size_classes::of(bytes) * sizeof(class_list));
    }
    [[nodiscard]] std::uint32_t list_capacity(size_class_index index) const noexcept {
        return closed_ || !is_pooled(index)
                   ? 0
                   : detail::list_capacity(slab_geometries[index], longest_slab_);
    }
    /// What a block's room is in a list of a slab's own, on top of `behind` others.
    [[nodiscard]] static std::uint32_t room_above(const class_list& list,
                                                  std::uint32_t behind) noexcept {
        return list.capacity - behind - 1;
    }
    /// Makes a list that is empty and has no surplus one that may have blocks, or none.
    static void open(class_list& list) noexcept { list.head = &list.end_mark; }
    void close(class_list& list) noexcept { list.head = &closed_mark; }
    /// Requires: an empty list.
    [[nodiscard]] static bool is_open(const class_list& list) noexcept {
        return list.head->room != 0;
    }
    [[nodiscard]] bool is_pooled(size_class_index index) const noexcept {
        return index != 0 &&
               slab_geometries[index].block_size <= options_.largest_required_pool_block;
    }
    /// Granules of a new slab, as the options allow.
    [[nodiscard]] std::uint32_t most_granules(const slab_geometry& geometry) const noexcept {
        return usual_length(geometry, longest_slab_, options_.max_blocks_per_chunk);
    }
    [[nodiscard]] std::uint32_t first_granule_at(const void* run) const noexcept {
        return static_cast<std::uint32_t>(offset(run) / size_classes::granule);
    }
    /// Writes down whose the run is, and of which class.
    void own(std::uint32_t first, size_class_index index) noexcept {
        granule_record& run = record(first);
        run.set_owner(owner_);
        run.size_class = index;
        run.set_distance(0);
        held_ += std::size_t{run.length()} * size_classes::granule;
        peak_held_ = std::max(peak_held_, held_);
    }
    void give_back(std::uint32_t first) noexcept;
    /// What a lane gives back: as a spare to its group, or to the arena.
    [[gnu::noinline]] void give_back_of_group(std::uint32_t first) noexcept; // lane.cpp

    std::byte* base_;
    granule_record* records_;
    std::size_t longest_slab_; ///< granules
    std::size_t open_bytes_;   ///< of the arena, as far as known; 0 in a closed pool
    bool closed_;              ///< every class is
    bool is_plain_;            ///< neither closed nor a lane
    std::uint16_t owner_;      ///< what granule_record::owner says of this pool's runs
    run_source& runs_;
    arena& source_;
    lane_group* group_; ///< of a lane: what its blocks may be freed by, and go to; else null
    pool_options options_;
    upstream_blocks upstream_;
    // Of a lane the first and the last may be less than 0, so to speak: any lane returns a run.
    std::size_t held_ = 0;
    std::size_t peak_held_ = 0;
    std::size_t requested_ = 0;   ///< bytes; counted by a closed pool
    std::size_t runs_in_use_ = 0; ///< bytes of unpooled runs
    std::uint64_t failures_ = 0;
    std::uint64_t arena_visits_ = 0;
};

} // namespace resident::detail
