/// Blocks in use with what was written to them.
#pragma once

#include "conformance/tested_resource.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace resident::test {

inline bool is_aligned(const void* address, std::size_t alignment) {
    return reinterpret_cast<std::uintptr_t>(address) % alignment == 0;
}

/// Every block is filled with a pattern of its own when allocated and compared when freed.
class block_set {
public:
    struct block {
        unsigned char* begin;
        std::size_t bytes;
        std::size_t alignment;
        std::uint32_t seed;
    };

    /// `row` is what `tested` was made of.
    block_set(tested_resource& tested, const resource_under_test& row)
        : tested_(tested), aligns_every_size_(row.aligns_every_size) {}
    ~block_set() { free_all(); }
    block_set(const block_set&) = delete;
    block_set& operator=(const block_set&) = delete;

    /// Returns: false if refused.
    bool allocate(std::size_t bytes, std::size_t alignment) {
        if (!aligns_every_size_)
            bytes = (bytes + alignment - 1) / alignment * alignment;
        void* const begin = tested_.try_allocate(bytes, alignment);
        if (begin == nullptr)
            return false;
        EXPECT_TRUE(is_aligned(begin, alignment)) << bytes << " bytes at " << alignment;
        blocks_.push_back({static_cast<unsigned char*>(begin), bytes, alignment, ++seed_});
        fill(blocks_.back());
        return true;
    }
    void free(std::size_t index) {
        const block freed = blocks_[index];
        EXPECT_TRUE(is_as_written(freed)) << freed.bytes << " bytes at " << freed.alignment;
        blocks_[index] = blocks_.back();
        blocks_.pop_back();
        tested_.resource().deallocate(freed.begin, freed.bytes, freed.alignment);
    }
    void free_all() {
        while (!blocks_.empty())
            free(blocks_.size() - 1);
    }
    /// In the order of allocation, if nothing was freed before.
    void free_oldest_first() {
        std::reverse(blocks_.begin(), blocks_.end());
        free_all();
    }
    void forget_all() { blocks_.clear(); } ///< after release()

    [[nodiscard]] std::size_t size() const { return blocks_.size(); }

    /// Whether all lie apart, blocks of 0 bytes at addresses of their own.
    [[nodiscard]] testing::AssertionResult are_disjoint() const {
        std::vector<std::pair<unsigned char*, std::size_t>> sorted;
        for (const block& each : blocks_)
            sorted.emplace_back(each.begin, each.bytes);
        std::sort(sorted.begin(), sorted.end());
        for (std::size_t i = 1; i < sorted.size(); ++i) {
            const std::size_t length = std::max<std::size_t>(sorted[i - 1].second, 1);
            if (sorted[i - 1].first + length > sorted[i].first)
                return testing::AssertionFailure()
                       << sorted[i - 1].second << " bytes overlap with " << sorted[i].second;
        }
        return testing::AssertionSuccess();
    }

private:
    static unsigned char pattern(const block& of, std::size_t at) {
        return static_cast<unsigned char>((of.seed * 2654435761u >> 13) + at * 7);
    }
    static void fill(const block& filled) {
        for (std::size_t at = 0; at < filled.bytes; at += step(filled, at))
            filled.begin[at] = pattern(filled, at);
    }
    static bool is_as_written(const block& read) {
        for (std::size_t at = 0; at < read.bytes; at += step(read, at))
            if (read.begin[at] != pattern(read, at))
                return false;
        return true;
    }
    /// Every byte of the first and the last 64, where a neighbour or a link would show, and every
    /// 61st between.
    static std::size_t step(const block& of, std::size_t at) {
        constexpr std::size_t edge = 64;
        return at < edge || at + edge >= of.bytes ? 1
                                                  : std::min(of.bytes - edge - at, std::size_t{61});
    }

    tested_resource& tested_;
    bool aligns_every_size_;
    std::vector<block> blocks_;
    std::uint32_t seed_ = 0;
};

} // namespace resident::test
