/// The calls of a closed pool: one that checks, or whose blocks are watched by a tool.
#pragma once

#include "pool/guarded_block.hpp"
#include "pool/misuse_report.hpp"
#include "pool/pool_state.hpp"

#include <cstddef>
#include <cstdint>

namespace resident::detail {

/// Does what a closed pool does differently. A pool that is watched checks as at check_level::cheap
/// at least. What fails a check is left as it is, so that nothing spreads.
class pool_checks {
public:
    explicit pool_checks(pool_state& pool) noexcept
        : pool_(pool), full_(pool.options_.checks == check_level::full) {}

    // checked.cpp: as pool_state has them
    void* allocate(std::size_t bytes, std::size_t alignment) noexcept;
    void deallocate(void* memory, std::size_t bytes, std::size_t alignment) noexcept;
    [[nodiscard]] std::size_t usable_size(const void* memory) const noexcept;
    /// The class whose blocks serve the request, guards included; 0 if none does.
    [[nodiscard]] size_class_index class_of(const block_request& request) const noexcept;
    /// Takes the first block of a slab's own list; null if its link was written to: then the slab's
    /// free blocks count as in use from now on. Requires: there is one.
    void* take(class_list& list, granule_record& slab, std::uint32_t first) noexcept;

    // inspection.cpp
    /// Requires: all of the slab's blocks are in its list.
    void hide_free_slab(std::uint32_t first) noexcept;
    void before_giving_back(std::uint32_t first) noexcept;
    /// At check_level::full, calls the handler if anything is in use. Opens what the pool has.
    void report_leaks() noexcept;

private:
    static constexpr std::size_t unknown_size = pool_state::unknown_size;
    static_assert(unknown_size == checked_call::not_told);

    /// Blocks in use, added up.
    struct leaks {
        std::size_t blocks = 0;
        std::size_t bytes = 0;
        const void* first = nullptr;
        misuse_text named;
    };

    // checked.cpp
    std::byte* take_block(const block_request& request) noexcept;
    void free_block_at(const checked_call& call, const block_place& at) noexcept;
    [[nodiscard]] bool is_link(const free_block& link, const class_list& list,
                               const granule_record& slab, const block_place& at) const noexcept;
    /// Whether it lies in a slab or run of the pool, and if so in which block. Certain where a
    /// block begins, or memory that was given out; elsewhere it may not be found.
    bool locate(const void* address, block_place& at) const noexcept;
    [[nodiscard]] block_place place_at(std::uint32_t first, const void* address) const noexcept;
    [[nodiscard]] guarded_block guarded(const block_place& at) const noexcept;
    [[nodiscard]] block_request request_of(const block_place& at) const noexcept;
    void note_run(std::uint32_t first, const block_request& request) noexcept;
    [[nodiscard]] block_request run_request(std::uint32_t first) const noexcept;

    // pool_checks.cpp: what is asked of a block. Each returns whether all is well, or has reported.
    bool check_outside(const checked_call& call) noexcept;
    bool check_unguarded(const checked_call& call, const block_place& at) noexcept;
    bool check_guarded(const checked_call& call, const block_place& at) noexcept;
    bool check_carved(const checked_call& call, const block_place& at) noexcept;
    bool check_class(const checked_call& call, const block_place& at) noexcept;
    bool check_request(const checked_call& call, const block_place& at,
                       const block_request& request) noexcept;
    bool check_state(const checked_call& call, const block_place& at,
                     const guarded_block& block) noexcept;
    bool check_canaries(const checked_call& call, const block_place& at,
                        const guarded_block& block) noexcept;
    bool check_free(const checked_call& call, const block_place& at,
                    const guarded_block& block) noexcept;
    void hide_around(const block_place& at, const guarded_block& block) noexcept;

    // Each calls the handler; false, for the checks.
    bool report_header(const checked_call& call, const block_place& at) noexcept;
    bool report_misaligned(const checked_call& call, const block_place& at) noexcept;
    void report_link(const block_place& at, std::uint32_t lost) noexcept;
    void report_unknown(const checked_call& call) noexcept;
    [[gnu::cold, gnu::format(printf, 5, 6)]] bool report(misuse_kind kind, const checked_call& call,
                                                         const block_place* at, const char* format,
                                                         ...) noexcept;

    // inspection.cpp
    void inspect(const block_place& at) noexcept;
    void add_leaks(std::uint32_t first, leaks& found) noexcept;
    /// As locate, but looks at every run, and so finds every address.
    bool search(const void* address, block_place& at) const noexcept;

    pool_state& pool_;
    bool full_;
};

} // namespace resident::detail
