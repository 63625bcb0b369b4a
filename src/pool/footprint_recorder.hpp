/// What a program requests of a pool, counted exactly.
#pragma once

#include "pool/footprint_counter.hpp"
#include "resident/error.hpp"
#include "resident/footprint.hpp"

#include <cstddef>
#include <map>
#include <memory_resource>
#include <optional>

namespace resident::detail {

/// The upstream of a pool: supplies from the heap what the pool's arena refuses, and counts it. Of
/// a pool whose arena is full from the start, that is everything.
class footprint_recorder final : public std::pmr::memory_resource {
public:
    using request = pool_request; ///< as passed to the pool
    struct count {
        std::size_t in_use = 0;
        std::size_t peak = 0;
        std::size_t first = 0; ///< how many requests came before the first of them
    };

    /// Counts as footprint_counter does.
    explicit footprint_recorder(const pool_options& options) noexcept : total_(options) {}

    [[nodiscard]] bool was_asked() const noexcept { return requests_ != 0; }
    /// Why the heap was not asked any more: it would have met the OOM killer. Whoever asked then
    /// got std::bad_alloc.
    [[nodiscard]] const std::optional<error>& refusal() const noexcept { return refusal_; }
    [[nodiscard]] const std::map<request, count>& by_request() const noexcept { return counts_; }
    /// Effects: writes down all peaks.
    void report(footprint_report& to) const noexcept { total_.report(to); }

private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override;
    void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override;
    [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
        return this == &other;
    }

    void check_headroom();
    void note_allocation(const request& made);

    std::size_t requests_ = 0;
    std::size_t looked_at_ = 0; ///< bytes in use when headroom was last looked at
    std::map<request, count> counts_;
    footprint_counter total_;
    std::optional<error> refusal_;
};

} // namespace resident::detail
