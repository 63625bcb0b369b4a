/// The layout of a trace file, version 1; docs/traces.md draws it. All numbers are little-endian.
///
///     [ file header, 4096 bytes ][ block ][ block ] ...
///     block: [ block header, 64 bytes ][ records ][ zeros ]     a multiple of 4096 bytes
///
/// The recorder maps each block into memory and appends to it in place: whatever ends the process,
/// what is in the block is in the file. For this nothing behind the last record needs writing: a
/// tag of 0 ends the records, and a record's tag is stored after the rest of it. A file is sealed
/// once its process is gone: everything is then counted and under checksums.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace resident::trace {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

inline constexpr std::array<char, 8> file_magic{'R', 'S', 'D', 'T', 'R', 'A', 'C', 'E'};
inline constexpr std::uint32_t byte_order_mark = 0x01020304;
inline constexpr std::uint32_t format_version = 1;
inline constexpr std::uint32_t block_magic = 0x4B4C4252; // "RBLK"

inline constexpr std::uint64_t file_header_bytes = 4096;
inline constexpr std::uint64_t block_unit = 4096; ///< blocks are multiples: they are mapped
inline constexpr std::uint32_t largest_block = 1U << 20;
/// What the recorder and the writer make: small for threads that do little, then doubled.
inline constexpr std::uint32_t first_block_bytes = 4096;
inline constexpr std::uint32_t full_block_bytes = 64U << 10;

/// Limits that make a hostile file cheap to refuse.
inline constexpr std::uint32_t thread_limit = 1U << 20;
/// Bytes of blocks that were reserved and never begun, of threads that have no other. A thread that
/// has others may leave one of full_block_bytes, when the process is ended as it begins that.
inline constexpr std::uint64_t hole_limit = 4U << 20;
inline constexpr std::uint64_t number_limit = std::uint64_t{1} << 56;
inline constexpr std::uint64_t address_limit = std::uint64_t{1} << 57; ///< five-level page tables
inline constexpr std::uint64_t size_limit = std::uint64_t{1} << 47;
inline constexpr unsigned alignment_bits_limit = 47;

inline constexpr std::size_t command_limit = 3840;

/// The first page of the file.
struct file_header {
    std::array<char, 8> magic{};
    std::uint32_t byte_order = 0;
    std::uint32_t version = 0;
    std::uint64_t header_bytes = 0;
    std::uint64_t process = 0; ///< 0: no process has claimed the file
    std::uint64_t parent_process = 0;
    std::uint64_t started = 0; ///< nanoseconds since 1970, UTC
    std::uint64_t session = 0;
    std::uint32_t command_bytes = 0;
    std::uint32_t sealed = 0; ///< 0 or 1; what follows, but for the counters, counts if it is 1
    std::uint32_t end = 0;    ///< process_end
    std::uint32_t end_value = 0;
    std::uint64_t stop_error = 0; ///< errno; 0: recording went on to the end
    std::uint64_t file_bytes = 0;
    std::uint64_t blocks = 0;
    std::uint64_t records = 0; ///< in all blocks
    std::uint64_t events = 0;  ///< that a reader yields
    std::uint64_t threads = 0;
    std::uint64_t allocations = 0;
    std::uint64_t frees = 0;
    std::uint64_t reallocations = 0;
    std::uint64_t failed_calls = 0;
    std::uint64_t unrecorded_calls = 0;     ///< a counter of the recorder
    std::uint64_t unrecorded_processes = 0; ///< likewise
    std::uint64_t calls_under_way = 0; ///< when the process ended: numbers taken, nothing written
    std::uint64_t lost_records = 0;    ///< numbers that are missing otherwise
    std::uint64_t unrecorded_process_error = 0; ///< errno of the first; a counter's companion
    std::array<std::uint64_t, 7> reserved{};    ///< 0
    std::uint32_t reserved_too = 0;             ///< 0
    std::uint32_t checksum = 0; ///< CRC-32C of the page with 0 in this place; 0 until sealed
    std::array<char, command_limit> command{}; ///< arguments, each ended by a 0 byte
};
static_assert(offsetof(file_header, command) == 256);
static_assert(sizeof(file_header) == file_header_bytes);

struct block_header {
    std::uint32_t magic = 0;
    std::uint32_t thread = 0;                ///< who wrote it; numbered by the recorder
    std::uint32_t block_bytes = 0;           ///< with this header; a multiple of block_unit
    std::uint32_t sealed = 0;                ///< 0 or 1
    std::uint64_t first_number = 0;          ///< what the first record's number is counted from
    std::uint64_t system_thread = 0;         ///< the kernel's id of the thread
    std::uint32_t record_bytes = 0;          ///< once sealed
    std::uint32_t records = 0;               ///< counted as they are written
    std::array<std::uint64_t, 2> reserved{}; ///< 0
    std::uint32_t reserved_too = 0;          ///< 0
    std::uint32_t checksum = 0; ///< CRC-32C of the block with 0 in this place; 0 until sealed
};
static_assert(sizeof(block_header) == 64);

/// A record is a tag and numbers of variable length. The tag's lower three bits say what it is, the
/// upper five by how much its number is above the lowest that is possible; if they are all set, the
/// rest of it follows.
enum class record_kind : std::uint8_t {
    end = 0,              ///< of the block
    allocate = 1,         ///< address, size
    free = 2,             ///< address
    reallocate = 3,       ///< old address, address, size, numbers that passed during the call
    allocate_aligned = 4, ///< address, size, binary logarithm of the alignment
    thread_begin = 5,
    thread_end = 6,
    failed = 7, ///< size; a call that returned null
};
inline constexpr unsigned kind_bits = 3;
inline constexpr std::uint64_t short_gap_limit = 31;
inline constexpr std::size_t longest_record = 64; ///< bytes; above 1 + 5 * 10

/// A record as it is meant. `number` orders it among those of all threads; no two are the same.
struct record {
    record_kind kind = record_kind::end;
    std::uint64_t number = 0;
    std::uint64_t last_number = 0; ///< reallocate: taken after the call; else the same as `number`
    std::uint64_t address = 0;
    std::uint64_t old_address = 0;
    std::uint64_t size = 0;
    unsigned alignment_bits = 0;

    friend bool operator==(const record&, const record&) = default;
};

/// The difference of two addresses, so that small ones are small numbers: its multiple of 8, of
/// either sign, in the lower bits, the rest, which is nearly always 0, in the uppermost three.
[[nodiscard]] constexpr std::uint64_t fold_distance(std::uint64_t to, std::uint64_t from) noexcept {
    const auto distance = static_cast<std::int64_t>(to - from);
    const std::int64_t eighths = distance >> 3;
    const auto folded =
        (static_cast<std::uint64_t>(eighths) << 1) ^ static_cast<std::uint64_t>(eighths >> 63);
    return folded | static_cast<std::uint64_t>(distance & 7) << 61;
}
[[nodiscard]] constexpr std::uint64_t unfold_distance(std::uint64_t folded,
                                                      std::uint64_t from) noexcept {
    const std::uint64_t rest = folded >> 61;
    const std::uint64_t zigzag = folded & ((std::uint64_t{1} << 61) - 1);
    const std::uint64_t eighths = (zigzag >> 1) ^ (std::uint64_t{0} - (zigzag & 1));
    return from + (eighths << 3) + rest;
}

} // namespace resident::trace
