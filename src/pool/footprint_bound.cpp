#include "pool/footprint_bound.hpp"

#include "arena/run_source.hpp"
#include "pool/pool_state.hpp"

#include <algorithm>

namespace resident::detail {

namespace {

constexpr std::size_t rounded_up_quotient(std::size_t value, std::size_t divisor) noexcept {
    return value / divisor + (value % divisor != 0);
}

constexpr std::size_t blocks_in(std::size_t granules, const slab_geometry& geometry) noexcept {
    return granules * granule_size / geometry.block_size;
}

constexpr std::size_t state_granules = rounded_up_quotient(sizeof(pool_state), granule_size);

} // namespace

std::size_t granules_to_reserve(const slab_geometry& geometry, std::size_t blocks,
                                std::size_t max_blocks, std::size_t capacity) noexcept {
    const std::size_t usual = usual_length(geometry, longest_slab(capacity), max_blocks);
    const std::size_t frugal = geometry.frugal;
    const std::size_t in_usual = blocks_in(usual, geometry);
    const std::size_t in_frugal = blocks_in(frugal, geometry);
    std::size_t most = rounded_up_quotient(blocks, in_frugal) * frugal;
    if (usual == frugal)
        return most; // all slabs are frugal
    // The arena may become scarce behind any of the slabs: then the others are frugal. These are
    // the shorter ones, but where max_blocks_per_chunk says less.
    for (std::size_t usual_slabs = 1; (usual_slabs - 1) * in_usual < blocks; ++usual_slabs) {
        const std::size_t served = std::min(usual_slabs * in_usual, blocks);
        most = std::max(most, usual_slabs * usual +
                                  rounded_up_quotient(blocks - served, in_frugal) * frugal);
    }
    return most;
}

std::size_t granules_for_runs(const run_footprint& runs) noexcept {
    const std::size_t in_use = runs.peak_bytes / granule_size;
    if (runs.equal)
        return in_use; // every gap is a multiple of their length
    const std::size_t longest = runs.longest / granule_size;
    // A gap this much longer than asked for is never passed over: see arena::try_allocate.
    const std::size_t sure = longest + (longest < 64 ? 0 : rounded_up_quotient(longest, 32));
    return in_use + runs.peak * (sure - 1);
}

std::size_t worst_case_capacity(std::span<const footprint_report> lanes, const run_footprint& runs,
                                std::size_t shared, std::size_t max_blocks) noexcept {
    std::size_t capacity = 0;
    // The longer the arena, the longer its slabs: go on until they fit the arena they are cut from.
    for (std::size_t needed = 1; capacity < needed;) {
        capacity = needed;
        needed = shared + granules_for_runs(runs);
        for (const footprint_report& peaks : lanes) {
            needed += state_granules;
            for (unsigned index = 1; index < size_classes::count; ++index)
                needed += granules_to_reserve(slab_geometries[index], peaks.classes[index - 1].peak,
                                              max_blocks, capacity);
        }
    }
    return capacity * granule_size;
}

std::size_t worst_case_capacity(const footprint_report& peaks, std::size_t max_blocks) noexcept {
    return worst_case_capacity({&peaks, 1}, peaks.runs, 0, max_blocks);
}

} // namespace resident::detail
