/// What a program requests of a pool, counted exactly.
#pragma once

#include "resident/error.hpp"
#include "resident/footprint.hpp"

#include <array>
#include <compare>
#include <cstddef>
#include <map>
#include <memory_resource>
#include <optional>

namespace resident::detail {

/// The upstream of a pool: supplies from the heap what the pool's arena refuses, and counts it. Of
/// a pool whose arena is full from the start, that is everything.
class footprint_recorder final : public std::pmr::memory_resource {
public:
    /// Requests of one size and alignment.
    struct request {
        std::size_t bytes;     ///< as passed to the pool
        std::size_t alignment; ///< the same, 8 at least
        // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 means the comparison with 0
        auto operator<=>(const request&) const = default;
    };
    struct count {
        std::size_t in_use = 0;
        std::size_t peak = 0;
        std::size_t first = 0; ///< how many requests came before the first of them
    };

    /// Counts as a pool of these options would: see largest_required_pool_block, and what
    /// check_level::full adds to blocks.
    explicit footprint_recorder(const pool_options& options) noexcept;

    [[nodiscard]] bool was_asked() const noexcept { return requests_ != 0; }
    /// Why the heap was not asked any more: it would have met the OOM killer. Whoever asked then
    /// got std::bad_alloc.
    [[nodiscard]] const std::optional<error>& refusal() const noexcept { return refusal_; }
    [[nodiscard]] const std::map<request, count>& by_request() const noexcept { return counts_; }
    /// Effects: writes down all peaks.
    void report(footprint_report& to) const noexcept;

private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override;
    void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override;
    [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
        return this == &other;
    }

    void check_headroom();
    void note_allocation(const request& made);
    void note_deallocation(const request& made) noexcept;
    [[nodiscard]] size_class_index class_of(const request& made) const noexcept;
    [[nodiscard]] std::size_t enlarged(const request& made) const noexcept;
    [[nodiscard]] std::size_t run_bytes(const request& made) const noexcept;
    [[nodiscard]] std::size_t longest_need(const request& made) const noexcept;

    const bool guarded_;
    const std::size_t largest_block_;
    std::size_t requests_ = 0;
    std::size_t looked_at_ = 0; ///< bytes in use when headroom was last looked at
    std::map<request, count> counts_;
    std::array<count, size_classes::count> classes_{}; ///< 0: runs
    std::size_t requested_ = 0;
    std::size_t in_use_ = 0;
    std::size_t runs_in_use_ = 0; ///< bytes
    std::size_t first_run_ = 0;   ///< bytes of the first
    footprint_report peaks_;
    std::optional<error> refusal_;
};

} // namespace resident::detail
