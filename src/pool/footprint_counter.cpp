#include "pool/footprint_counter.hpp"

#include "arena/granule.hpp"
#include "pool/guarded_block.hpp"

#include <algorithm>

namespace resident::detail {

namespace {

std::size_t largest_block_of(const pool_options& options) noexcept {
    const std::size_t largest = options.largest_required_pool_block;
    if (largest == 0 || largest > size_classes::largest)
        return size_classes::largest;
    return size_classes::block_size(size_classes::of(largest));
}

void raise(std::size_t& peak, std::size_t now) noexcept { peak = std::max(peak, now); }

} // namespace

footprint_counter::footprint_counter(const pool_options& options) noexcept
    : guarded_(options.checks == check_level::full), largest_block_(largest_block_of(options)) {}

void footprint_counter::note_allocation(const pool_request& made) noexcept {
    const size_class_index index = class_of(made);
    raise(classes_[index].peak, ++classes_[index].in_use);
    requested_ += made.bytes;
    raise(peaks_.peak_requested, requested_);
    if (index != 0) {
        in_use_ += size_classes::block_size(index);
    } else {
        const std::size_t bytes = run_bytes(made);
        in_use_ += bytes;
        runs_in_use_ += bytes;
        run_footprint& runs = peaks_.runs;
        if (first_run_ == 0)
            first_run_ = bytes;
        runs.equal = runs.equal && longest_need(made) == first_run_;
        raise(runs.longest, longest_need(made));
        raise(runs.peak, classes_[0].in_use);
        raise(runs.peak_bytes, runs_in_use_);
    }
    raise(peaks_.peak_in_use, in_use_);
}

void footprint_counter::note_deallocation(const pool_request& made) noexcept {
    const size_class_index index = class_of(made);
    const std::size_t bytes = index != 0 ? size_classes::block_size(index) : run_bytes(made);
    --classes_[index].in_use;
    requested_ -= made.bytes;
    in_use_ -= bytes;
    if (index == 0)
        runs_in_use_ -= bytes;
}

size_class_index footprint_counter::class_of(const pool_request& made) const noexcept {
    const std::size_t needed = enlarged(made);
    if (made.alignment > size_classes::granule || needed > largest_block_)
        return 0;
    const std::size_t alignment = std::max(made.alignment, size_classes::unit);
    const std::size_t bytes = std::max<std::size_t>(needed, 1);
    const size_class_index index = size_classes::of((bytes + alignment - 1) & ~(alignment - 1));
    return size_classes::block_size(index) <= largest_block_ ? index : size_class_index{0};
}

/// With the guards of a pool that checks fully.
std::size_t footprint_counter::enlarged(const pool_request& made) const noexcept {
    return guarded_ ? guarded_block::enlarged({made.bytes, made.alignment}) : made.bytes;
}

std::size_t footprint_counter::run_bytes(const pool_request& made) const noexcept {
    return granules_for(enlarged(made)) * granule_size;
}

/// What a run takes at worst: an alignment above a granule is met by leaving out granules before
/// it.
std::size_t footprint_counter::longest_need(const pool_request& made) const noexcept {
    return run_bytes(made) + std::max(made.alignment, granule_size) - granule_size;
}

void footprint_counter::report(footprint_report& to) const noexcept {
    to.peak_in_use = peaks_.peak_in_use;
    to.peak_requested = peaks_.peak_requested;
    to.runs = peaks_.runs;
    for (unsigned index = 1; index < size_classes::count; ++index)
        to.classes[index - 1] = {size_classes::block_size(static_cast<size_class_index>(index)),
                                 classes_[index].peak};
}

} // namespace resident::detail
