/// Which block sizes there are, and which of them serves a request. Arithmetic only.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace resident::detail {

/// Index of a size class. 0 is no class: what is not pooled.
using size_class_index = std::uint8_t;

/// Sizes a block can have, bytes:
///
///     16, 24, 32, 40, 48     the sizes that nodes of standard containers have
///     64, 80, ... 1 KiB      16 apart
///     1056, ... 8 KiB        32 for each doubling, so about 3 % apart
///     8704, ... 16 KiB       512 apart, about 6 %
///     20 KiB, ... 64 KiB     4 KiB apart
///
/// Finer than the usual four for each doubling: those leave 9 % of each block unused on average,
/// and a locked byte is dear; what a class does not need, smaller requests can have when memory
/// runs out. From 4 KiB, whole granules are runs of their own, so that each goes
/// back to the arena alone; the sizes between are blocks of slabs, as the small ones are.
struct size_classes {
    static constexpr std::size_t unit = 8;             ///< every block size is a multiple
    static constexpr std::size_t granule = 4096;       ///< arena::granule_size
    static constexpr std::size_t largest_fine = 16384; ///< from here on 4 KiB apart
    static constexpr std::size_t largest = 65536;      ///< above, requests are runs, not pooled
    static constexpr std::size_t largest_linear = 512; ///< up to here 16 apart
    // For tables: up to largest_small, all multiples of unit; above, all block sizes are multiples
    // of large_unit.
    static constexpr std::size_t largest_small = 8192;
    static constexpr std::size_t small_sizes = largest_small / unit + 1;
    static constexpr std::size_t large_unit = 512;
    static constexpr std::size_t large_sizes = largest / large_unit + 1;

    /// The class of the smallest block of at least `bytes`; 0 if there is none.
    /// A block is aligned to every power of two up to a granule that divides its size, and the
    /// class of a multiple of such a power of two has a block size that is one, too: round `bytes`
    /// up to the alignment first. 16 and more, that is; 24 and 40 are aligned to 8.
    static constexpr size_class_index of(std::size_t bytes) noexcept {
        if (bytes > largest)
            return 0;
        if (bytes > largest_fine)
            return static_cast<size_class_index>(count_fine + (bytes - largest_fine - 1) / granule);
        if (bytes <= 48)
            return static_cast<size_class_index>(bytes <= 16 ? 1 : (bytes + 7) / 8 - 1);
        if (bytes <= largest_linear)
            return static_cast<size_class_index>((bytes + 15) / 16 + 2);
        const auto top = static_cast<unsigned>(std::bit_width(bytes - 1)) - 1;
        if (bytes <= 2 * granule) // 32 to 63, from the digits
            return static_cast<size_class_index>(67 + (top - 10) * 32 + ((bytes - 1) >> (top - 5)) -
                                                 32);
        return static_cast<size_class_index>(163 + ((bytes - 1) >> 9) - 16);
    }

    /// Bytes of a block. Requires: 0 < index < count.
    static constexpr std::size_t block_size(size_class_index index) noexcept {
        if (index <= 5)
            return index == 1 ? 16 : (index + 1) * std::size_t{8};
        if (index < 67)
            return (index - 2) * std::size_t{16};
        if (index < 163)
            return std::size_t{33 + (index - 67u) % 32} << ((index - 67u) / 32 + 5);
        if (index < count_fine)
            return std::size_t{17 + index - 163u} << 9;
        return largest_fine + (index - count_fine + 1u) * granule;
    }

    /// Whether each block is a run of the arena by itself.
    static constexpr bool is_run(size_class_index index) noexcept {
        return block_size(index) % granule == 0;
    }

    static constexpr unsigned count_fine = 179; ///< with class 0
    static constexpr unsigned count = count_fine + (largest - largest_fine) / granule;
};

static_assert(size_classes::block_size(size_classes::of(16)) == 16);
static_assert(size_classes::block_size(size_classes::of(17)) == 24);
static_assert(size_classes::block_size(size_classes::of(48)) == 48);
static_assert(size_classes::block_size(size_classes::of(49)) == 64);
static_assert(size_classes::block_size(size_classes::of(512)) == 512);
static_assert(size_classes::block_size(size_classes::of(1025)) == 1056);
static_assert(size_classes::of(16384) == size_classes::count_fine - 1);
static_assert(size_classes::block_size(size_classes::of(16385)) == 20480);
static_assert(size_classes::of(65536) == size_classes::count - 1 && size_classes::of(65537) == 0);
static_assert(size_classes::count <= 256, "a class is one byte");

} // namespace resident::detail
