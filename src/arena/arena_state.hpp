/// All of an arena but the handle; lives at the start of the arena's own locked bookkeeping.
#pragma once

#include "arena/background_grower.hpp"
#include "arena/chunk.hpp"
#include "arena/layout.hpp"
#include "arena/reservation.hpp"
#include "arena/run_source.hpp"
#include "resident/arena.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>

namespace resident::detail {

/// One of an arena's two ranges, and how its chunks are made.
struct arena_part {
    reservation range;
    chunk_plan plan;
    std::size_t holds = 0; ///< of locked_pages(): one for each kept chunk that is locked

    void keep(chunk& made) noexcept {
        made.keep();
        if (made.is_held())
            ++holds;
    }
    /// Effects: gives the holds on the first `bytes` back; they are all there are.
    void drop_holds(std::size_t bytes) noexcept;
};

/// The cold half of an arena: building, growth, proof. The hot one is runs().
///
/// Read as zeros, as in a child under fork_policy::wipe, it is a valid arena of no capacity.
/// Under `inherit` the bookkeeping is wiped all the same: a copy of a mutex that another thread
/// held at the fork could never be unlocked.
class arena_state {
public:
    /// Effects: everything that arena's constructor promises.
    static result<arena_state*> build(const arena_options& options);
    /// Effects: stops the grower and gives everything back, `doomed` included.
    static void destroy(arena_state* doomed) noexcept;

    arena_state(const arena_state&) = delete;
    arena_state& operator=(const arena_state&) = delete;

    [[nodiscard]] run_source& runs() noexcept { return runs_; }

    result<std::size_t> grow(std::size_t bytes, bool report_progress);
    [[nodiscard]] std::size_t free_bytes() const noexcept;
    [[nodiscard]] arena_statistics statistics() const noexcept;
    [[nodiscard]] result<arena_proof> verify() const noexcept;
    [[nodiscard]] const char* check() const noexcept { return runs_.check(); }

    [[nodiscard]] std::byte* begin() const noexcept { return runs_.begin(); }
    [[nodiscard]] std::size_t capacity() const noexcept {
        return std::size_t{runs_.capacity()} * granule_size;
    }
    [[nodiscard]] page_kind pages() const noexcept;
    [[nodiscard]] bool locked() const noexcept { return locked_; }
    [[nodiscard]] int numa_node() const noexcept { return node_plus_1_ - 1; }
    [[nodiscard]] const error* degradation() const noexcept { return degradation_.get(); }
    [[nodiscard]] const char* name() const noexcept { return name_.data(); }

private:
    arena_state(arena_part&& bookkeeping, arena_part&& data, const arena_options& options) noexcept;
    ~arena_state() = default;

    static result<arena_state*> build_once(const arena_options& options, bool lock);
    static std::optional<error> build_data(const arena_options& options, arena_part& data);
    static std::optional<error> build_data_of(const arena_options& options, page_kind pages,
                                              arena_part& data);
    [[nodiscard]] std::optional<error> prove_as_built() noexcept;
    [[nodiscard]] std::optional<error> start_grower(const background_growth& growth) noexcept;

    std::atomic<std::uint64_t> growth_failures_{0};
    bool locked_ = false;
    page_kind pages_ = page_kind::automatic;
    int node_plus_1_ = 0; ///< so that zeros mean "bound to no node"

    mutable std::mutex growth_mutex_; ///< one growth, or verify, at a time; may be held for long
    std::size_t max_capacity_ = 0;
    arena_part bookkeeping_; ///< the state, then the table of runs_
    arena_part data_;
    std::array<char, 64> name_{};
    std::function<void(const arena_progress&)> progress_;
    std::unique_ptr<const error> degradation_;
    std::optional<background_grower> grower_;
    run_source runs_; ///< the last: its table lies behind
};
static_assert(sizeof(run_source) % alignof(arena_state) == 0, "nothing lies behind runs_");

} // namespace resident::detail
