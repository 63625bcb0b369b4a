#include "pool/annotations.hpp"
#include "pool/pool_state.hpp"

#include <array>

namespace resident::detail {

// Walks by what it finds, so it trusts nothing: every index is bounded before it is followed, and
// every walk by a count. Only the arena's own bookkeeping is relied on, once it has been checked.
//
// No block is marked, because none can be twice in lists that pass. A list's rooms rise by one from
// block to block, so it does not come back to a block. Two lists that share a block share all
// behind it, the last one and its end mark: so they are of one class. There, each slab's list holds
// that slab's blocks alone: it is enough to compare the ends of the class's list, of its surplus,
// and of the lists of the slabs in which those ends lie.

class pool_checker {
public:
    explicit pool_checker(const pool_state& pool) noexcept : pool_(pool) {}
    const char* check() noexcept;
    /// Requires: nothing was found.
    void add_to(lane_totals& totals) const noexcept;

private:
    static constexpr std::uint32_t none = pool_state::none;

    /// What the slabs of a class have, added up.
    struct tally {
        std::uint32_t carved = 0;
        std::uint32_t free = 0;
        std::uint32_t partial = 0; ///< slabs that belong in that list
    };

    const char* check_frame() const noexcept;
    const char* check_runs() noexcept;
    const char* check_slab(std::uint32_t first) noexcept;
    const char* check_carved(std::uint32_t first) const noexcept;
    const char* check_own_list(std::uint32_t first) const noexcept;
    const char* check_class(size_class_index index) const noexcept;
    const char* check_front(size_class_index index) const noexcept;
    const char* check_lists(size_class_index index) const noexcept;
    const char* check_partial(size_class_index index) const noexcept;
    const char* check_counters() const noexcept;

    template <typename Accept>
    const char* follow(const free_block* block, std::uint32_t count, const class_list& list,
                       Accept accept) const noexcept;
    [[nodiscard]] const free_block* last_of(const free_block* block,
                                            const class_list& list) const noexcept;
    [[nodiscard]] std::uint32_t slab_of(const free_block* block) const noexcept;
    [[nodiscard]] bool is_slab_of(std::uint32_t first, size_class_index index) const noexcept;
    [[nodiscard]] static free_block read(const free_block* block) noexcept;

    const pool_state& pool_;
    std::array<tally, size_classes::count> tallies_{};
    std::size_t held_ = 0;
    std::size_t runs_in_use_ = 0;
    std::size_t in_use_ = 0; ///< bytes in blocks in use, or cached
};

const char* pool_state::check() const noexcept { return pool_checker(*this).check(); }

const char* pool_state::check_lane(lane_totals& totals) const noexcept {
    pool_checker checker(*this);
    const char* const broken = checker.check();
    if (broken == nullptr)
        checker.add_to(totals);
    return broken;
}

void pool_checker::add_to(lane_totals& totals) const noexcept {
    totals.counted_held += pool_.held_;
    totals.counted_runs += pool_.runs_in_use_;
    totals.held += held_;
    totals.runs += runs_in_use_;
}

const char* pool_checker::check() noexcept {
    if (const char* broken = check_frame())
        return broken;
    if (const char* broken = pool_.runs_.check())
        return broken;
    if (const char* broken = check_runs())
        return broken;
    for (unsigned index = 0; index < size_classes::count; ++index)
        if (const char* broken = check_class(static_cast<size_class_index>(index)))
            return broken;
    return check_counters();
}

const char* pool_checker::check_frame() const noexcept {
    if (pool_.closed_mark.next != nullptr || pool_.closed_mark.room != 0)
        return "the mark of closed lists has room";
    if (pool_.base_ != pool_.runs_.begin() || pool_.records_ != pool_.runs_.records())
        return "the pool's arena is another";
    if (pool_.closed_ != (pool_.options_.checks != check_level::off || blocks_are_watched()) ||
        pool_.is_plain_ != (!pool_.closed_ && pool_.group_ == nullptr))
        return "the pool is closed or not against its options";
    if (pool_.closed_ ? pool_.open_bytes_ != 0
                      : pool_.open_bytes_ == 0 || pool_.open_bytes_ > pool_.capacity() ||
                            pool_.open_bytes_ % size_classes::granule != 0)
        return "the bytes known of the arena are out of range";
    const std::size_t largest = pool_.options_.largest_required_pool_block;
    const size_class_index last = size_classes::of(largest);
    if (last == 0 || size_classes::block_size(last) != largest)
        return "the largest pooled block is of no size class";
    for (std::size_t units = 0; units < pool_.class_offsets.size(); ++units)
        if (pool_.class_offsets[units] != pool_state::class_offset(units * size_classes::unit))
            return "the table of classes by size is wrong";
    for (std::size_t units = 0; units < pool_.large_class_offsets.size(); ++units)
        if (pool_.large_class_offsets[units] !=
            pool_state::class_offset(units * size_classes::large_unit))
            return "the table of classes by large sizes is wrong";
    return nullptr;
}

const char* pool_checker::check_runs() noexcept {
    const std::uint32_t own_run = pool_.first_granule_at(&pool_);
    if (pool_.owner_ == 0 || !is_slab_of(own_run, 0))
        return "the pool does not own its state";
    for (std::uint32_t first = pool_.runs_.next_owned(pool_.owner_, none); first != none;
         first = pool_.runs_.next_owned(pool_.owner_, first)) {
        const granule_record& run = pool_.record(first);
        const std::size_t bytes = std::size_t{run.length()} * size_classes::granule;
        held_ += bytes;
        if (run.distance != 0)
            return "a run's first distance is not 0";
        if (run.size_class != 0) {
            if (const char* broken = check_slab(first))
                return broken;
        } else if (first != own_run) {
            runs_in_use_ += bytes;
        }
    }
    return nullptr;
}

const char* pool_checker::check_slab(std::uint32_t first) noexcept {
    const granule_record& slab = pool_.record(first);
    const size_class_index index = slab.size_class;
    if (index >= size_classes::count || !pool_.is_pooled(index))
        return "a slab's size class is not pooled";
    const slab_geometry& geometry = slab_geometries[index];
    const class_list& list = pool_.classes[index];
    const bool is_current = first == list.current;
    if (geometry.is_run && slab.length() != geometry.least)
        return "a block that is a run has the length of another";
    if (slab.blocks != slab.length() * size_classes::granule / geometry.block_size)
        return "a slab's count of blocks is wrong";
    if (slab.carved == 0 || slab.carved > slab.blocks)
        return "a slab's count of carved blocks is out of range";
    if (is_current == (slab.carved == slab.blocks))
        return "a slab has a part never used and is not current, or the reverse";
    if (slab.free > slab.carved)
        return "a slab's count of free blocks is out of range";
    if (!is_current && slab.free == slab.carved && list.reserved == 0)
        return "a slab without blocks in use is kept";
    tally& sum = tallies_[index];
    in_use_ += (std::size_t{slab.carved} - slab.free) * geometry.block_size;
    sum.carved += slab.carved;
    sum.free += slab.free;
    sum.partial += slab.free != 0 ? 1U : 0U;
    if (const char* broken = check_carved(first))
        return broken;
    return slab.free != 0 ? check_own_list(first) : nullptr;
}

/// Where a carved block begins, the way back is written down.
const char* pool_checker::check_carved(std::uint32_t first) const noexcept {
    const granule_record& slab = pool_.record(first);
    const std::size_t size = slab_geometries[slab.size_class].block_size;
    for (std::uint32_t granule = 0; granule < slab.length(); ++granule) {
        const std::size_t begin = granule * size_classes::granule;
        const std::size_t block = (begin + size - 1) / size; // the first at or behind it
        if (block < slab.carved && block * size < begin + size_classes::granule &&
            pool_.record(first + granule).distance != granule)
            return "a granule's distance is wrong";
    }
    return nullptr;
}

const char* pool_checker::check_own_list(std::uint32_t first) const noexcept {
    const granule_record& slab = pool_.record(first);
    const free_block* const head = pool_.first_free(slab, first);
    if (slab_of(head) != first)
        return "a slab's head is not a block of it";
    return follow(head, slab.free, pool_.classes[slab.size_class],
                  [=](std::uint32_t at) { return at == first; });
}

const char* pool_checker::check_class(size_class_index index) const noexcept {
    const class_list& list = pool_.classes[index];
    const tally& sum = tallies_[index];
    if (list.current != none &&
        (index == 0 || slab_geometries[index].is_run || !is_slab_of(list.current, index)))
        return "the current slab is none of the class";
    if (list.carved != sum.carved)
        return "a class's count of carved blocks is wrong";
    if (list.free_listed != sum.free)
        return "a class's count of free blocks is wrong";
    std::size_t blocks = list.carved;
    if (list.current != none)
        blocks +=
            std::size_t{pool_.record(list.current).blocks} - pool_.record(list.current).carved;
    if (list.reserved > blocks)
        return "a class has fewer blocks than are reserved";
    if (const char* broken = check_partial(index))
        return broken;
    if (const char* broken = check_front(index))
        return broken;
    return check_lists(index);
}

/// What the list that is used inline begins and ends with.
const char* pool_checker::check_front(size_class_index index) const noexcept {
    const class_list& list = pool_.classes[index];
    if (list.end_mark.next != nullptr)
        return "an end mark leads on";
    if (list.capacity != pool_.list_capacity(index))
        return "the capacity of a class's list is wrong";
    if (list.surplus_count > list.capacity)
        return "a class has more surplus than its list can have had";
    if (list.end_mark.room != list.capacity)
        return "an end mark's room is wrong";
    if (list.borrowed != 0 || list.surplus_count != 0)
        return list.head == &pool_.closed_mark ? nullptr : "a list is open that must stay empty";
    if (list.head == &list.end_mark)
        return nullptr;
    if (slab_of(list.head) == none)
        return "a class's head is no block";
    return read(list.head).room < list.capacity ? nullptr : "a class's first room is out of range";
}

/// The list that is used inline, and the surplus. Requires: the slabs' own lists were checked.
const char* pool_checker::check_lists(size_class_index index) const noexcept {
    const class_list& list = pool_.classes[index];
    const auto is_of_class = [&](std::uint32_t at) { return pool_.record(at).size_class == index; };
    const free_block* const head = list.head == &pool_.closed_mark ? &list.end_mark : list.head;
    const std::uint32_t count = head == &list.end_mark ? 0 : list.capacity - read(head).room;
    if (const char* broken = follow(head, count, list, is_of_class))
        return broken;
    const free_block* const surplus = list.surplus_count == 0 ? &list.end_mark : list.surplus;
    if (const char* broken = follow(surplus, list.surplus_count, list, is_of_class))
        return broken;
    for (const free_block* each : {last_of(head, list), last_of(surplus, list)}) {
        if (each == nullptr)
            continue;
        const std::uint32_t first = slab_of(each);
        const granule_record& slab = pool_.record(first);
        if (slab.free != 0 && last_of(pool_.first_free(slab, first), list) == each)
            return "a free block is in two lists";
    }
    return nullptr;
}

/// As many as belong there, and none twice: each one's way back is checked.
const char* pool_checker::check_partial(size_class_index index) const noexcept {
    const class_list& list = pool_.classes[index];
    std::uint32_t left = tallies_[index].partial;
    std::uint32_t previous = none;
    for (std::uint32_t first = list.partial; first != none; first = pool_.record(first).next) {
        if (!is_slab_of(first, index))
            return "a list of partial slabs leads out of the class";
        const granule_record& slab = pool_.record(first);
        if (slab.free == 0)
            return "a slab does not belong among the partial ones";
        if (slab.previous != previous)
            return "a partial slab's way back is wrong";
        if (left-- == 0)
            return "a list of partial slabs does not end";
        previous = first;
    }
    return left == 0 ? nullptr : "a slab with free blocks is in no list";
}

const char* pool_checker::check_counters() const noexcept {
    if (pool_.group_ != nullptr) // any lane may give back what another took: see lane_totals
        return nullptr;
    if (pool_.held_ != held_)
        return "the count of bytes held is wrong";
    if (pool_.peak_held_ < pool_.held_)
        return "the peak of bytes held is less than they are";
    if (pool_.runs_in_use_ != runs_in_use_)
        return "the count of bytes in runs is wrong";
    if (pool_.closed_ ? pool_.requested_ > in_use_ + runs_in_use_ : pool_.requested_ != 0)
        return "the count of bytes requested is out of range";
    return pool_.upstream_.check();
}

/// Follows `count` blocks to the end mark; each must lie in a slab that `accept` takes.
template <typename Accept>
const char* pool_checker::follow(const free_block* block, std::uint32_t count,
                                 const class_list& list, Accept accept) const noexcept {
    for (std::uint32_t left = count; left != 0; --left) {
        if (block == &list.end_mark)
            return "a list of free blocks is too short";
        const std::uint32_t first = slab_of(block);
        if (first == none)
            return "a list of free blocks leads to none";
        if (!accept(first))
            return "a free block is in the list of another slab";
        const free_block link = read(block);
        if (link.room != pool_state::room_above(list, left - 1))
            return "a free block's room is wrong";
        block = link.next;
    }
    return block == &list.end_mark ? nullptr : "a list of free blocks is too long";
}

/// Returns: the last block of a list that was followed; null if it has none.
const free_block* pool_checker::last_of(const free_block* block,
                                        const class_list& list) const noexcept {
    const free_block* last = nullptr;
    for (; block != &list.end_mark; block = read(block).next)
        last = block;
    return last;
}

/// Returns: the first granule of the slab of which this is a carved block; `none` if of no slab.
std::uint32_t pool_checker::slab_of(const free_block* block) const noexcept {
    const std::size_t offset = pool_.offset(block);
    if (offset >= pool_.capacity())
        return none;
    const auto granule = static_cast<std::uint32_t>(offset / size_classes::granule);
    const std::uint32_t distance = pool_.record(granule).distance;
    if (distance > granule)
        return none;
    const std::uint32_t first = granule - distance;
    const granule_record& slab = pool_.record(first);
    if (slab.size_class == 0 || slab.size_class >= size_classes::count ||
        !is_slab_of(first, slab.size_class))
        return none;
    const std::size_t size = slab_geometries[slab.size_class].block_size;
    const std::size_t at = offset - std::size_t{first} * size_classes::granule;
    return at % size == 0 && at / size < slab.carved ? first : none;
}

/// Whether a run of this pool begins there that is of this class.
bool pool_checker::is_slab_of(std::uint32_t first, size_class_index index) const noexcept {
    if (first >= pool_.runs_.capacity())
        return false;
    const granule_record& run = pool_.record(first);
    return (run.state & run_links::used_first) == run_links::used_first &&
           run.owner_now() == pool_.owner_ && run.size_class == index;
}

/// The links of free blocks are hidden from the program in a pool that tools watch.
free_block pool_checker::read(const free_block* block) noexcept {
    if (blocks_are_watched())
        annotate_opened(block, sizeof(free_block));
    const free_block link = *block;
    if (blocks_are_watched())
        annotate_hidden(block, sizeof(free_block));
    return link;
}

} // namespace resident::detail
