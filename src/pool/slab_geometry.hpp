/// How long slabs are, and how many free blocks a class's list may keep. Arithmetic only.
#pragma once

#include "resident/detail/size_classes.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace resident::detail {

/// What a class's slabs are like; lengths in granules.
struct slab_geometry {
    std::uint32_t block_size;    ///< bytes
    std::uint8_t usual;          ///< length while the arena has plenty
    std::uint8_t frugal;         ///< when it has little left: less that only this class can use
    std::uint8_t least;          ///< holds one block
    std::uint8_t carved_at_once; ///< blocks; no more than begin in one granule
    bool is_run;                 ///< each block is a run by itself
};

/// Long slabs are passed by seldom; short ones leave less unused when memory runs out.
inline constexpr std::size_t usual_slab_size = 65536;
/// A slab in a large class holds this many blocks; 8.5 KiB, 9.5 KiB, ... then fill granules.
inline constexpr std::size_t usual_blocks = 8;
inline constexpr std::size_t frugal_blocks = 4;

/// The shortest slab of at least `blocks` blocks and `bytes` bytes that leaves at most 1/128 of it
/// unused behind its last block; if none up to three times as long does, the one that leaves least.
constexpr std::uint8_t best_slab_length(std::size_t block_size, std::size_t blocks,
                                        std::size_t bytes) noexcept {
    constexpr std::size_t granule = size_classes::granule;
    const std::size_t wanted = block_size * blocks > bytes ? block_size * blocks : bytes;
    const std::size_t shortest = (wanted + granule - 1) / granule;
    std::size_t best = shortest;
    for (std::size_t length = shortest; length <= shortest * 3; ++length) {
        const std::size_t waste = length * granule % block_size;
        if (waste * 128 <= length * granule)
            return static_cast<std::uint8_t>(length);
        // Compared as fractions of the length, without dividing.
        if (waste * best < best * granule % block_size * length)
            best = length;
    }
    return static_cast<std::uint8_t>(best);
}

constexpr auto make_slab_geometries() noexcept {
    std::array<slab_geometry, size_classes::count> all{};
    for (unsigned index = 1; index < size_classes::count; ++index) {
        const bool is_run = size_classes::is_run(static_cast<size_class_index>(index));
        const std::size_t size = size_classes::block_size(static_cast<size_class_index>(index));
        const auto least =
            static_cast<std::uint8_t>((size + size_classes::granule - 1) / size_classes::granule);
        const std::size_t in_granule = size_classes::granule / size;
        const auto carved = static_cast<std::uint8_t>(std::clamp<std::size_t>(in_granule, 1, 8));
        all[index] = {static_cast<std::uint32_t>(size), least, least, least, carved, is_run};
        if (!is_run) {
            all[index].usual = best_slab_length(size, usual_blocks, usual_slab_size);
            all[index].frugal = best_slab_length(size, frugal_blocks, size_classes::granule);
        }
    }
    return all;
}

inline constexpr auto slab_geometries = make_slab_geometries();
static_assert(std::all_of(slab_geometries.begin(), slab_geometries.end(),
                          [](const slab_geometry& each) { return each.frugal <= each.usual; }),
              "whoever has room for a usual slab has room for any");

/// Of every block of the class: all that any of its requests may ask for.
constexpr std::size_t alignment_of_blocks(size_class_index index) noexcept {
    const std::size_t size = slab_geometries[index].block_size;
    return std::min(size & (0 - size), size_classes::granule);
}

/// Blocks of the slab that has the most.
inline constexpr std::size_t most_blocks =
    slab_geometries[1].usual * size_classes::granule / slab_geometries[1].block_size;

/// Granules of a new slab while the arena has plenty, of a pool whose slabs may have `longest`
/// granules and at most `max_blocks` blocks (pool_options::max_blocks_per_chunk; 0: no such limit).
constexpr std::uint32_t usual_length(const slab_geometry& geometry, std::size_t longest,
                                     std::size_t max_blocks) noexcept {
    const std::uint32_t usual = geometry.usual <= longest ? geometry.usual : geometry.frugal;
    if (max_blocks == 0 || geometry.is_run ||
        max_blocks >= usual_slab_size / geometry.block_size + 1) [[likely]]
        return usual;
    const std::size_t granules = max_blocks * geometry.block_size / size_classes::granule;
    return std::clamp(static_cast<std::uint32_t>(granules), std::uint32_t{geometry.least}, usual);
}

/// Granules of the longest slabs in an arena of `capacity` granules, and how many bytes a class may
/// keep to itself in free blocks: there are some 200 classes.
constexpr std::size_t longest_slab(std::size_t capacity) noexcept { return capacity / 1024; }

/// Free blocks that a class's list may have: of small blocks as many as fill two usual slabs, if
/// the arena is large enough; of large ones, of which a few would keep as many slabs from becoming
/// empty, and of runs, two.
constexpr std::uint32_t list_capacity(const slab_geometry& geometry, std::size_t longest) noexcept {
    if (geometry.is_run || geometry.block_size > usual_slab_size / 24)
        return 2;
    const std::size_t granules =
        std::clamp<std::size_t>(longest, geometry.frugal, 2 * std::size_t{geometry.usual});
    return static_cast<std::uint32_t>(granules * size_classes::granule / geometry.block_size);
}

} // namespace resident::detail
