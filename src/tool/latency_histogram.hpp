/// Times recorded in memory of a fixed size, however many they are.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace resident::tool {

/// Counts times in buckets whose width is at most 1/64 of their value: a percentile is exact to
/// 1.6 %, the maximum exact. Samples themselves would need memory, locked memory, that grows with
/// the duration; these 18 KiB do not.
///
///     values     0 .. 127     128 .. 255   256 .. 511   512 .. 1023   ...    up to 2^42 ns, 73 min
///     width         1             2            4             8
///     buckets      128           64           64            64
///
/// Trivially copyable, so that it can live in memory shared between processes; all zero is empty.
class latency_histogram {
public:
    static constexpr unsigned precision_bits = 6;
    static constexpr unsigned largest_bits = 42;
    static constexpr std::size_t linear = std::size_t{2} << precision_bits;
    static constexpr std::size_t bucket_count =
        linear + (std::size_t{largest_bits - precision_bits - 1} << precision_bits);

    /// Real-time safe: about ten instructions. Longer times than fit count as the longest.
    void record(std::uint64_t nanoseconds) noexcept {
        ++counts_[bucket_of(nanoseconds)];
        ++total_;
        if (nanoseconds > largest_)
            largest_ = nanoseconds;
    }

    void merge(const latency_histogram& other) noexcept;

    [[nodiscard]] std::uint64_t count_in(std::size_t bucket) const noexcept {
        return counts_[bucket];
    }
    [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
    [[nodiscard]] std::uint64_t largest() const noexcept { return largest_; }

    /// The time that `share` (0 to 1) of all do not exceed, to the precision; 0 if there is none.
    [[nodiscard]] std::uint64_t percentile(double share) const noexcept;

    /// How many fell in buckets that begin in [from, to).
    [[nodiscard]] std::uint64_t between(double from, double to) const noexcept;

    [[nodiscard]] static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
        if (value < linear)
            return static_cast<std::size_t>(value);
        const auto width = static_cast<unsigned>(std::bit_width(value));
        if (width > largest_bits)
            return bucket_count - 1;
        const unsigned shift = width - precision_bits - 1;
        // The top bit is always set, so each shift has 64 buckets, and its first is linear + 64 *
        // (shift - 1).
        return (std::size_t{shift} << precision_bits) + static_cast<std::size_t>(value >> shift);
    }

    /// The smallest value of a bucket.
    [[nodiscard]] static constexpr std::uint64_t begin_of(std::size_t bucket) noexcept {
        if (bucket < linear)
            return bucket;
        const std::size_t shift = (bucket >> precision_bits) - 1;
        return std::uint64_t{bucket - (shift << precision_bits)} << shift;
    }

private:
    std::array<std::uint64_t, bucket_count> counts_{};
    std::uint64_t total_ = 0;
    std::uint64_t largest_ = 0;
};

static_assert(latency_histogram::bucket_of(latency_histogram::linear) == latency_histogram::linear);
static_assert(latency_histogram::bucket_of((1ULL << latency_histogram::largest_bits) - 1) ==
              latency_histogram::bucket_count - 1);
static_assert(latency_histogram::begin_of(latency_histogram::bucket_of(1ULL << 20)) == 1ULL << 20);

} // namespace resident::tool
