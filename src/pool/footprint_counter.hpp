/// What requests take of a pool, counted by size class without a pool.
#pragma once

#include "resident/footprint.hpp"
#include "resident/pool_options.hpp"

#include <array>
#include <compare>
#include <cstddef>

namespace resident::detail {

/// A request as it is made to a pool.
struct pool_request {
    std::size_t bytes;
    std::size_t alignment; ///< 8 at least
    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 means the comparison with 0
    auto operator<=>(const pool_request&) const = default;
};

/// The blocks and runs in use, and their peaks. Constant time and memory.
class footprint_counter {
public:
    /// Counts as a pool of these options would: see largest_required_pool_block, and what
    /// check_level::full adds to blocks.
    explicit footprint_counter(const pool_options& options) noexcept;

    void note_allocation(const pool_request& made) noexcept;
    /// The behavior is undefined unless an equal request was noted and not taken back since.
    void note_deallocation(const pool_request& made) noexcept;

    [[nodiscard]] std::size_t requested() const noexcept { return requested_; } ///< bytes, now
    [[nodiscard]] std::size_t in_use() const noexcept { return in_use_; } ///< with rounding, now
    /// Blocks in use now. 0: runs.
    [[nodiscard]] std::size_t in_use(size_class_index index) const noexcept {
        return classes_[index].in_use;
    }
    [[nodiscard]] std::size_t run_bytes_in_use() const noexcept { return runs_in_use_; }
    /// The class that serves a request, as pool_front::class_for has it; 0 for a run.
    [[nodiscard]] size_class_index class_of(const pool_request& made) const noexcept;
    /// Effects: writes down all peaks.
    void report(footprint_report& to) const noexcept;

private:
    struct count {
        std::size_t in_use = 0;
        std::size_t peak = 0;
    };

    [[nodiscard]] std::size_t enlarged(const pool_request& made) const noexcept;
    [[nodiscard]] std::size_t run_bytes(const pool_request& made) const noexcept;
    [[nodiscard]] std::size_t longest_need(const pool_request& made) const noexcept;

    bool guarded_;
    std::size_t largest_block_;
    std::array<count, size_classes::count> classes_{}; ///< 0: runs
    std::size_t requested_ = 0;
    std::size_t in_use_ = 0;
    std::size_t runs_in_use_ = 0; ///< bytes
    std::size_t first_run_ = 0;   ///< bytes of the first
    footprint_report peaks_;
};

} // namespace resident::detail
