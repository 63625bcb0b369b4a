/// The capacity that is enough for every order of requests. Derived in docs/sizing.md.
#pragma once

#include "pool/slab_geometry.hpp"
#include "resident/footprint.hpp"

#include <cstddef>
#include <span>

namespace resident::detail {

/// Granules that the slabs of a class take for `blocks` reserved blocks at most, in an arena of
/// `capacity` granules where none but reserved slabs have been taken.
/// `max_blocks` is pool_options::max_blocks_per_chunk.
[[nodiscard]] std::size_t granules_to_reserve(const slab_geometry& geometry, std::size_t blocks,
                                              std::size_t max_blocks,
                                              std::size_t capacity) noexcept;

/// Granules in one piece in which the runs find room in any order.
[[nodiscard]] std::size_t granules_for_runs(const run_footprint& runs) noexcept;

/// footprint_report::bound for these peaks, bytes.
[[nodiscard]] std::size_t worst_case_capacity(const footprint_report& peaks,
                                              std::size_t max_blocks) noexcept;
/// The same for a synchronized pool, each of whose lanes reserves the blocks of its own peaks;
/// runs are of the arena, whoever asks. `shared` is what the pool takes beside its lanes, granules.
[[nodiscard]] std::size_t worst_case_capacity(std::span<const footprint_report> lanes,
                                              const run_footprint& runs, std::size_t shared,
                                              std::size_t max_blocks) noexcept;

} // namespace resident::detail
