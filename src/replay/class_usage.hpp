/// What a trace takes of a pool of this library, by size class.
#pragma once

#include "pool/footprint_counter.hpp"
#include "replay/summary.hpp"
#include "resident/footprint.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace resident::replay {

/// One size class, or the runs.
struct class_peaks {
    std::size_t block_size = 0; ///< bytes; 0: runs
    std::size_t peak = 0;       ///< the most blocks that were in use at once
    std::size_t peak_bytes = 0; ///< the same, bytes
    std::size_t at_peak = 0;    ///< blocks in use when most bytes of all were
    std::size_t at_peak_bytes = 0;
};

/// Counts requests in the order of the trace, as a pool with default options would.
class class_usage final : public chunk_visitor {
public:
    class_usage() = default;

    void visit(const chunk& part) override;

    /// Of the whole trace. A reallocation has both blocks for a moment, as in a pool it must.
    [[nodiscard]] footprint_report peaks() const;
    /// Those that were used: classes ascending, then the runs.
    [[nodiscard]] std::vector<class_peaks> table() const;
    /// Lanes that a synchronized pool has for the threads of the trace.
    [[nodiscard]] std::size_t lanes() const noexcept { return lanes_.size(); }
    /// Of the requests that is above a granule's, bytes; 0 if there is none.
    [[nodiscard]] std::size_t largest_alignment() const noexcept { return largest_alignment_; }
    /// Enough for every order of the same requests, if each thread reserves its own peaks first.
    /// `threads`: in a synchronized pool.
    [[nodiscard]] std::size_t bound(bool threads) const;

private:
    static constexpr std::size_t classes = detail::size_classes::count;
    struct block {
        detail::pool_request request{};
        std::uint32_t lane = 0;
        bool in_use = false;
    };

    void apply(const operation& now);
    void take_snapshot();
    void add(block& to, const operation& now);
    void remove(const block& what);

    live_bytes live_;
    std::vector<block> blocks_; ///< by slot
    detail::footprint_counter total_{pool_options{}};
    std::vector<detail::footprint_counter> lanes_;
    std::size_t largest_alignment_ = 0;
    bool at_peak_ = false; ///< now, and not yet in the snapshot
    std::array<std::size_t, classes> snapshot_{};
    std::size_t snapshot_run_bytes_ = 0;
};

} // namespace resident::replay
