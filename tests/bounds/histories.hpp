/// What the histories that are measured are made of.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace resident::test {

struct live_block {
    void* address = nullptr;
    std::size_t bytes = 0;
};

/// The same sequence in each run, whichever library and processor.
class random_numbers {
public:
    explicit random_numbers(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
    std::uint32_t below(std::uint32_t bound) noexcept {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return static_cast<std::uint32_t>((state_ >> 33) * bound >> 31);
    }
    /// 16 B to `largest`, each doubling as likely as another. Whole numbers alone: the library's
    /// logarithms round differently on different processors.
    std::size_t size_up_to(std::size_t largest) noexcept {
        const auto doublings = static_cast<std::uint32_t>(std::bit_width(largest / 16));
        const std::size_t smallest = std::size_t{16} << below(doublings);
        return std::min(largest, smallest + below(static_cast<std::uint32_t>(smallest)));
    }

private:
    std::uint64_t state_;
};

} // namespace resident::test
