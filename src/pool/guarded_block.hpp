/// How check_level::full lays out a block, so that stray writes show.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace resident::detail {

/// What was asked for.
struct block_request {
    std::size_t bytes = 0;
    std::size_t alignment = 1;
};

/// A block, or an unpooled run, of check_level::full. With alignments up to 32 bytes:
///
///     from begin   0         16       24        32                               extent
///     in use       [ canary ][ state ][ request ][ bytes requested ][ canary ....... ]
///     free         [ link   ][ state ][ request ][ fill ............................ ]
///     given out                                  ^ memory()
///
/// With larger ones memory() is an alignment behind begin, and canary up to there. A run aligned to
/// more than a granule has nothing before memory(), which is begin: another granule as large as its
/// alignment would be lost. The request of a run is known out of band.
///
/// State is mixed from the block's address and its request, so that neither a stray value nor
/// another block's is one, and remembers in free blocks that they are. The pool's link lies before
/// it: freeing a block twice finds the state that the first time left.
class guarded_block {
public:
    enum class condition : std::uint8_t { in_use, free, unknown };

    static constexpr std::size_t header_end = 32;

    /// Bytes that a request needs in all. The behavior is undefined unless there are so many.
    [[nodiscard]] static constexpr std::size_t enlarged(const block_request& request) noexcept {
        return lead(request.alignment) + request.bytes + least_tail;
    }
    /// From begin to memory().
    [[nodiscard]] static constexpr std::size_t lead(std::size_t alignment) noexcept {
        return alignment > largest_guarded ? 0 : std::max(alignment, header_end);
    }

    /// A block of a slab, which says itself what was requested.
    guarded_block(std::byte* begin, std::size_t extent) noexcept;
    /// A new block, or a run.
    guarded_block(std::byte* begin, std::size_t extent, const block_request& request) noexcept
        : begin_(begin), extent_(extent), request_(request) {}

    /// Effects: writes canaries, header and fill. Returns: memory().
    std::byte* begin_use() const noexcept;
    /// Effects: writes the fill of a free block, and its state.
    void end_use() const noexcept;

    /// Whether it is in use; with `unknown`, the header was written to, and no request is known.
    [[nodiscard]] condition state() const noexcept;
    [[nodiscard]] const block_request& request() const noexcept { return request_; }
    [[nodiscard]] std::byte* memory() const noexcept { return begin_ + lead(request_.alignment); }

    // Null, or the first byte that is not as it was left.
    [[nodiscard]] const std::byte* damage_before() const noexcept;  ///< of a block in use
    [[nodiscard]] const std::byte* damage_behind() const noexcept;  ///< of a block in use
    [[nodiscard]] const std::byte* damage_in_fill() const noexcept; ///< of a free block

    static constexpr std::byte canary{0xC5};
    static constexpr std::byte allocated_fill{0xA5}; ///< what new memory holds
    static constexpr std::byte freed_fill{0xDD};     ///< what freed memory holds

private:
    static constexpr std::size_t largest_guarded = 4096; ///< alignment
    static constexpr std::size_t state_begin = 16;       ///< behind the link

    static constexpr std::size_t least_tail = 8;

    /// In one word: bytes, and the alignment's exponent above them.
    static constexpr unsigned exponent_shift = 56;

    [[nodiscard]] bool has_header() const noexcept { return lead(request_.alignment) != 0; }
    [[nodiscard]] std::uint64_t packed_request() const noexcept;
    [[nodiscard]] std::uint64_t state_of(condition state) const noexcept;
    [[nodiscard]] std::uint64_t word_at(std::size_t offset) const noexcept;
    void write_header(condition state) const noexcept;

    std::byte* begin_;
    std::size_t extent_;
    block_request request_;
};

} // namespace resident::detail
