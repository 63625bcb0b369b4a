/// Numbers that are the same on every machine and in every run: a seed decides the whole history.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace resident::bench {

/// SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014). A draw
/// does not wait for memory, so it hides behind the allocator's own work.
class random_stream {
public:
    explicit random_stream(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t next() noexcept {
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        return mixed ^ (mixed >> 31);
    }

    /// In [0, bound); the bias is below bound / 2^32.
    std::uint32_t below(std::uint32_t bound) noexcept {
        return scale(static_cast<std::uint32_t>(next()), bound);
    }

    /// Maps 32 random bits to [0, bound): for a draw that serves two purposes.
    static std::uint32_t scale(std::uint32_t bits, std::uint32_t bound) noexcept {
        return static_cast<std::uint32_t>((std::uint64_t{bits} * bound) >> 32);
    }

private:
    std::uint64_t state_;
};

/// A callable that turns 32 random bits into bytes: always the same size.
struct one_size {
    std::uint32_t bytes;
    std::uint32_t operator()(std::uint32_t) const noexcept { return bytes; }
};

/// Every size of [16, 1024] equally often; the mean is 520 bytes.
struct uniform_sizes {
    std::uint32_t operator()(std::uint32_t bits) const noexcept {
        return 16 + random_stream::scale(bits, 1024 - 16 + 1);
    }
};

/// 16 B to 16 KiB on a logarithmic scale, small ones prevailing as they do in programs: 16 B times
/// 1024 to the power of the product of two uniform numbers. Half of the sizes are at most 58 bytes,
/// one in fifty is above 4 KiB, the mean is 411 bytes. From a table: as quick as arithmetic.
class log_sizes {
public:
    log_sizes() {
        for (std::size_t first = 0; first != steps; ++first) {
            for (std::size_t second = 0; second != steps; ++second) {
                const double power = 10 * place(first) * place(second); // 1024 is 2 to the 10th
                table_[first * steps + second] = static_cast<std::uint16_t>(std::exp2(4 + power));
            }
        }
    }
    std::uint32_t operator()(std::uint32_t bits) const noexcept {
        return table_[random_stream::scale(bits, steps * steps)];
    }

private:
    static constexpr std::uint32_t steps = 64;
    static double place(std::size_t step) { return (static_cast<double>(step) + 0.5) / steps; }

    std::array<std::uint16_t, std::size_t{steps} * steps> table_{};
};

} // namespace resident::bench
