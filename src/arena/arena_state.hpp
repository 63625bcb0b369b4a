/// All of an arena but the handle; lives at the start of the arena's own locked bookkeeping.
#pragma once

#include "arena/background_grower.hpp"
#include "arena/chunk.hpp"
#include "arena/layout.hpp"
#include "arena/reservation.hpp"
#include "arena/run_allocator.hpp"
#include "os/priority_inheritance_mutex.hpp"
#include "resident/arena.hpp"

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>

namespace resident::detail {

/// What the data of an arena is made of.
struct obtained_pages {
    chunk_plan plan; ///< for growth too
    page_kind kind = page_kind::base;
};

/// Read as zeros, as in a child under fork_policy::wipe, it is a valid arena of no capacity.
class arena_state {
public:
    /// Effects: everything that arena's constructor promises.
    static result<arena_state*> build(const arena_options& options);
    /// Effects: stops the grower and gives everything back, `doomed` included.
    static void destroy(arena_state* doomed) noexcept;

    arena_state(const arena_state&) = delete;
    arena_state& operator=(const arena_state&) = delete;

    void* allocate(std::size_t bytes, std::size_t alignment) noexcept;
    /// `bytes` as told by the caller, or `unknown_size`.
    void deallocate(void* run, std::size_t bytes) noexcept;
    static constexpr std::size_t unknown_size = ~std::size_t{0};

    result<std::size_t> grow(std::size_t bytes, bool report_progress);
    [[nodiscard]] bool owns(const void* address) const noexcept;
    [[nodiscard]] std::size_t capacity() const noexcept;
    [[nodiscard]] std::size_t free_bytes() const noexcept;
    [[nodiscard]] arena_statistics statistics() const noexcept;
    [[nodiscard]] result<arena_proof> verify() const noexcept;
    [[nodiscard]] const char* check() const noexcept;

    [[nodiscard]] std::byte* data() const noexcept { return data_; }
    [[nodiscard]] page_kind pages() const noexcept { return pages_; }
    [[nodiscard]] bool locked() const noexcept { return locked_; }
    [[nodiscard]] const error* degradation() const noexcept { return degradation_.get(); }
    [[nodiscard]] const char* name() const noexcept { return name_.data(); }

    /// The granule records begin behind the state.
    static const std::size_t records_offset;

private:
    friend struct arena_state_inspector; // the tests' one door

    arena_state(reservation&& range, const arena_layout& layout, const arena_options& options,
                const obtained_pages& obtained) noexcept;
    ~arena_state() = default;

    static result<arena_state*> build_once(const arena_options& options, bool lock);
    static std::optional<error> build_data(const arena_options& options, bool lock, std::byte* data,
                                           obtained_pages& obtained);
    [[nodiscard]] std::optional<error> start_grower(const background_growth& growth) noexcept;
    [[nodiscard]] std::size_t locked_data() const noexcept;

    mutable os::priority_inheritance_mutex mutex_; ///< guards runs_ and the counters below it
    run_allocator runs_;
    std::uint64_t failures_ = 0;
    std::uint64_t growth_failures_ = 0;

    std::byte* data_ = nullptr;
    bool locked_ = false;
    page_kind pages_ = page_kind::base;

    mutable std::mutex growth_mutex_; ///< one growth, or verify, at a time; may be held for long
    reservation range_;
    arena_layout layout_{};
    chunk_plan data_plan_{};
    std::array<char, 64> name_{};
    std::function<void(const arena_progress&)> progress_;
    std::unique_ptr<const error> degradation_;
    std::optional<background_grower> grower_;
};

inline constexpr std::size_t arena_state::records_offset =
    round_up(sizeof(arena_state), alignof(granule_record));

} // namespace resident::detail
