/// What is allocated at a moment of a trace.
#pragma once

#include "trace/event.hpp"

#include <algorithm>
#include <unordered_map>

namespace resident::trace {

/// Follows the events of a trace. Memory: some 60 bytes a live block. Sizes are those requested.
class live_blocks {
public:
    void follow(const event& what) {
        if (what.kind == event_kind::free)
            remove(what.address);
        if (what.kind == event_kind::reallocate)
            remove(what.old_address);
        if (what.kind == event_kind::allocate || what.kind == event_kind::reallocate)
            add(what);
    }

    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::uint64_t count() const noexcept { return sizes_.size(); }
    /// The most that was live at once. While a block moves only its new place counts.
    [[nodiscard]] std::uint64_t peak_bytes() const noexcept { return peak_bytes_; }
    [[nodiscard]] std::uint64_t peak_count() const noexcept { return peak_count_; }
    /// Frees and reallocations of blocks from before the recording began.
    [[nodiscard]] std::uint64_t foreign() const noexcept { return foreign_; }
    /// Blocks that were given where one was: the trace, or the allocator, contradicts itself.
    [[nodiscard]] std::uint64_t doubly_given() const noexcept { return doubly_given_; }

private:
    void remove(std::uint64_t address) {
        const auto found = sizes_.find(address);
        if (found == sizes_.end()) {
            ++foreign_;
            return;
        }
        bytes_ -= found->second;
        sizes_.erase(found);
    }
    void add(const event& what) {
        const auto [block, is_new] = sizes_.try_emplace(what.address, what.size);
        if (!is_new) {
            ++doubly_given_;
            bytes_ -= block->second;
            block->second = what.size;
        }
        bytes_ += what.size;
        peak_bytes_ = std::max(peak_bytes_, bytes_);
        peak_count_ = std::max<std::uint64_t>(peak_count_, sizes_.size());
    }

    std::unordered_map<std::uint64_t, std::uint64_t> sizes_;
    std::uint64_t bytes_ = 0;
    std::uint64_t peak_bytes_ = 0;
    std::uint64_t peak_count_ = 0;
    std::uint64_t foreign_ = 0;
    std::uint64_t doubly_given_ = 0;
};

} // namespace resident::trace
