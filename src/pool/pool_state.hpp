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

/// Throws std::bad_alloc; in a build without exceptions: says what there was, and aborts.
[[noreturn]] void raise_bad_alloc(const arena& exhausted, std::size_t bytes);

/// What is known of a slab lies in the record of its first granule (granule_record):
///
///     granule     0           1           2           3
///     slab        [ b0 ][ b1 ][ b2 ][ b3 ][ b4 ][ never used so far       ]
///     distance    0           1           2           -       where a block begins: back to 0
///     owner       this pool                                   head, free, carved, blocks, class
///
/// A class is in one of three states:
///
/// - *active*: its list holds the free blocks of one slab, the active one, and no others;
/// deallocate
///   takes blocks of that slab inline. Only the active slab has a part never used so far.
/// - *caching*: its list holds up to cache_limit free blocks of any of its slabs. Allowed while
///   every slab has more than cache_limit blocks in use, counting the cached: then no slab can be
///   free without the pool knowing, and there is nothing to search when memory runs out. When a
///   slab falls below, the list keeps what it holds until it is used up or memory runs out.
/// - *closed*: its list is empty and takes nothing; so are all classes of a pool that checks calls.
///
/// Blocks that are free in other slabs are in those slabs' lists, which have the same form: a slab
/// becomes active in constant time. Slabs with free blocks, the active one excepted, are in the
/// class's list of partial slabs. A slab without blocks in use, the active one excepted, goes back
/// to the arena at once, unless its blocks are reserved.
class pool_state {
public:
    static constexpr std::uint32_t none = run_allocator::none;
    /// What class_list::active says of a class that is caching.
    static constexpr std::uint32_t caching = none - 1;
    /// Room of an empty list of one slab's blocks: more than a slab has, so it is never full.
    static constexpr std::uint32_t slab_room = 0xffff;

    /// Requires: to lie in a run of `source` by itself; `owner` is new.
    pool_state(const pool_options& options, arena& source, std::uint16_t owner,
               std::pmr::memory_resource* upstream) noexcept;
    /// Effects: release(), and gives the state's own run back.
    static void destroy(pool_state* doomed) noexcept;
    pool_state(const pool_state&) = delete;
    pool_state& operator=(const pool_state&) = delete;

    /// Null if the arena has no room; then upstream is to be asked, which counts and tells what is
    /// refused. Requires: `list` is the request's, and empty.
    void* allocate(class_list& list, std::size_t bytes, std::size_t alignment) noexcept;
    void* allocate_upstream(std::size_t bytes, std::size_t alignment);
    void* try_allocate_upstream(std::size_t bytes, std::size_t alignment) noexcept;
    /// Requires: `list`, which is the request's, did not take the block.
    void deallocate(class_list& list, void* block, std::size_t bytes,
                    std::size_t alignment) noexcept;
    void deallocate(void* block) noexcept;
    static constexpr std::size_t unknown_size = ~std::size_t{0};

    [[nodiscard]] std::size_t usable_size(const void* block) const noexcept;
    /// As unsynchronized_pool_resource has them.
    [[nodiscard]] bool owns(const void* address) const noexcept;
    bool reserve(std::size_t bytes, std::size_t count, std::size_t alignment) noexcept;
    void release() noexcept;
    [[nodiscard]] pool_statistics statistics() const noexcept;
    [[nodiscard]] const char* check() const noexcept;

    [[nodiscard]] const pool_options& options() const noexcept { return options_; }
    [[nodiscard]] std::pmr::memory_resource* upstream() const noexcept {
        return upstream_.resource();
    }
    [[nodiscard]] pool_front& front() noexcept { return front_; }
    [[nodiscard]] arena& source() const noexcept { return source_; }

private:
    friend struct pool_inspector; // the tests' one door
    friend class pool_checker;    // check.cpp
    friend class pool_checks;     // what a closed pool does

    // pool_state.cpp: the common paths out of line
    void* carve(class_list& list, granule_record& slab, const slab_geometry& geometry) noexcept;
    void* carve_one(class_list& list, granule_record& slab, const slab_geometry& geometry) noexcept;
    void* allocate_slowly(class_list& list, std::size_t bytes, std::size_t alignment) noexcept;
    void* allocate_from_arena(class_list& list, size_class_index index,
                              std::size_t alignment) noexcept;
    void* begin_slab(class_list& list, std::uint32_t first, size_class_index index) noexcept;
    void* begin_slab_out_of_line(class_list& list, std::uint32_t first,
                                 size_class_index index) noexcept;
    void* allocate_run(std::size_t bytes, std::size_t alignment) noexcept;
    void deallocate_rarely(class_list& list, void* block, std::size_t bytes,
                           std::size_t alignment) noexcept;
    void free_in_class(class_list& list, void* block) noexcept;
    void free_anywhere(void* block) noexcept;
    void free_in_slab(class_list& list, granule_record& slab, std::uint32_t first,
                      void* freed) noexcept;
    void note_state(class_list& list, std::uint32_t first, std::uint32_t free_before,
                    std::uint32_t in_use) noexcept;
    void retire(class_list& list, const slab_geometry& geometry, std::uint32_t first,
                bool linked) noexcept;

    // lists.cpp: what the lists of a class hold
    void begin_lists() noexcept;
    void* take_from_partial(class_list& list, const slab_geometry& geometry) noexcept;
    void* take_from_slab(class_list& list, granule_record& slab, std::uint32_t first) noexcept;
    void* refill_cache(class_list& list) noexcept;
    void spill_cache(class_list& list, void* block) noexcept;
    void empty_list(class_list& list) noexcept;
    void activate(class_list& list, std::uint32_t first) noexcept;
    void deactivate(class_list& list, const slab_geometry& geometry) noexcept;
    void link_partial(class_list& list, std::uint32_t first) noexcept;
    void unlink_partial(class_list& list, std::uint32_t first) noexcept;
    void begin_caching(class_list& list, std::uint32_t limit) noexcept;
    static void close(class_list& list) noexcept;
    /// Makes an empty list one of the blocks of the slab in [begin, begin + bytes).
    static void open(class_list& list, const std::byte* begin, std::size_t bytes) noexcept {
        list.begin = reinterpret_cast<std::uintptr_t>(begin);
        list.span = bytes;
        list.head = &list.end_mark;
        list.end_mark.room = slab_room;
    }

    // exhaustion.cpp
    void* allocate_when_exhausted(class_list& list, size_class_index index,
                                  std::size_t alignment) noexcept;
    void give_back_everything() noexcept;
    void give_back_unused(class_list& list, const slab_geometry& geometry) noexcept;
    void give_back_tail(class_list& list, const slab_geometry& geometry) noexcept;
    void* borrow_block(size_class_index index, std::size_t alignment) noexcept;
    void* take_free(class_list& list, const slab_geometry& geometry) noexcept;
    void note_failure(std::size_t bytes, std::size_t alignment) noexcept;

    // reserve.cpp
    bool reserve_blocks(class_list& list, size_class_index index, std::size_t count) noexcept;
    void cut_completely(class_list& list, std::uint32_t first, size_class_index index) noexcept;
    void give_back_empty_slabs(class_list& list, const slab_geometry& geometry) noexcept;
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
        return static_cast<size_class_index>(&front_.class_for(bytes, alignment) -
                                             front_.classes.data());
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
    [[nodiscard]] free_block* first_free(const granule_record& slab,
                                         std::uint32_t first) const noexcept {
        return reinterpret_cast<free_block*>(address(first) + slab.head * size_classes::unit);
    }
    [[nodiscard]] std::uint16_t units_from(std::uint32_t first, const void* block) const noexcept {
        return static_cast<std::uint16_t>(
            (offset(block) - std::size_t{first} * size_classes::granule) / size_classes::unit);
    }
    /// Free blocks in the list.
    [[nodiscard]] static std::uint32_t depth(const class_list& list) noexcept {
        return list.end_mark.room - list.head->room;
    }
    // How many are borrowed is not known any more once there were too many to count.
    static void note_loan(class_list& list) noexcept {
        list.borrowed = static_cast<std::uint16_t>(list.borrowed + (list.borrowed != 0xffff));
    }
    static void note_return(class_list& list) noexcept {
        list.borrowed = static_cast<std::uint16_t>(list.borrowed - (list.borrowed != 0xffff));
    }
    [[nodiscard]] static bool has_active(const class_list& list) noexcept {
        return list.active < caching;
    }
    [[nodiscard]] static bool is_caching(const class_list& list) noexcept {
        return list.active == caching;
    }
    [[nodiscard]] auto& classes() noexcept { return front_.classes; }
    [[nodiscard]] const auto& classes() const noexcept { return front_.classes; }
    [[nodiscard]] size_class_index index_of(const class_list& list) const noexcept {
        return static_cast<size_class_index>(&list - classes().data());
    }
    [[nodiscard]] const slab_geometry& geometry_of(const class_list& list) const noexcept {
        return slab_geometries[index_of(list)];
    }
    /// Writes down, for the granule `at`, how far its slab's first granule is.
    void note_distance(std::size_t at, std::uint32_t first) noexcept {
        const auto granule = static_cast<std::uint32_t>(at / size_classes::granule);
        record(granule).distance = static_cast<std::uint8_t>(granule - first);
    }
    [[nodiscard]] bool may_cache(const class_list& list,
                                 const slab_geometry& geometry) const noexcept {
        return geometry.block_size <= largest_cached && list.sparse == 0 && list.borrowed == 0 &&
               !closed_;
    }
    [[nodiscard]] static bool is_sparse(const granule_record& slab,
                                        const slab_geometry& geometry) noexcept {
        return std::uint32_t{slab.carved} - slab.free <= cache_limit &&
               geometry.block_size <= largest_cached;
    }
    [[nodiscard]] bool is_pooled(size_class_index index) const noexcept {
        return index != 0 &&
               slab_geometries[index].block_size <= options_.largest_required_pool_block;
    }
    /// Granules of a new slab, as the options allow.
    [[nodiscard]] std::uint32_t most_granules(const slab_geometry& geometry) const noexcept {
        return usual_length(geometry, options_.max_blocks_per_chunk);
    }
    [[nodiscard]] std::uint32_t first_granule_at(const void* run) const noexcept {
        return static_cast<std::uint32_t>(offset(run) / size_classes::granule);
    }
    /// Writes down whose the run is, and of which class.
    void own(std::uint32_t first, size_class_index index) noexcept {
        granule_record& run = record(first);
        run.owner = owner_;
        run.size_class = index;
        run.distance = 0;
        held_ += std::size_t{run.length()} * size_classes::granule;
        peak_held_ = std::max(peak_held_, held_);
    }
    void give_back(std::uint32_t first) noexcept;

    pool_front front_; // first: the handle points here
    std::byte* base_;
    granule_record* records_;
    std::size_t open_bytes_; ///< of the arena, as far as known; 0 in a closed pool
    bool closed_;            ///< every class is
    std::uint16_t owner_;    ///< what granule_record::owner says of this pool's runs
    run_source& runs_;
    arena& source_;
    pool_options options_;
    upstream_blocks upstream_;
    std::size_t held_ = 0;
    std::size_t peak_held_ = 0;
    std::size_t requested_ = 0;   ///< bytes; counted by a closed pool
    std::size_t runs_in_use_ = 0; ///< bytes of unpooled runs
    std::uint64_t failures_ = 0;
    std::uint64_t arena_visits_ = 0;
};

} // namespace resident::detail
