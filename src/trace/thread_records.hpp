/// The records of one thread, one after the other, through a small window on the file.
#pragma once

#include "trace/block_index.hpp"
#include "trace/record_decoder.hpp"

#include <memory>

namespace resident::trace {

class thread_records {
public:
    explicit thread_records(std::uint32_t first_block) noexcept : block_(first_block) {}

    /// Goes to the next record. Returns: whether there is one; if not, and `error` has a value, it
    /// is because of this.
    bool advance(trace_file& file, const block_index& index, std::optional<trace_error>& error);

    /// Meaningful after advance() has returned true.
    [[nodiscard]] const record& current() const noexcept { return current_; }
    [[nodiscard]] std::uint64_t current_offset() const noexcept { return current_offset_; }

private:
    static constexpr std::size_t window_bytes = 4096;
    struct window {
        std::array<unsigned char, window_bytes> bytes;
    };

    void enter(const indexed_block& block) noexcept;
    bool refill(trace_file& file) noexcept;
    bool leave(const block_index& index, std::optional<trace_error>& error);

    std::uint32_t block_;
    bool within_ = false; ///< of block_: its beginning has been seen
    std::uint64_t lowest_number_ = 0;
    record_decoder decoder_;
    record current_;
    std::uint64_t current_offset_ = 0;
    std::uint32_t records_ = 0; ///< of this block
    // What is left of the block: part in the window, the rest in the file.
    std::uint64_t file_at_ = 0;
    std::size_t file_left_ = 0;
    std::size_t window_at_ = 0;
    std::size_t window_left_ = 0;
    std::unique_ptr<window> window_; ///< while there is a block
};

} // namespace resident::trace
