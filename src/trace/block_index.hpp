/// The first pass over a trace file: what it is made of.
#pragma once

#include "trace/event.hpp"
#include "trace/format.hpp"
#include "trace/trace_file.hpp"

#include <optional>
#include <vector>

namespace resident::trace {

inline constexpr std::uint32_t no_block = ~std::uint32_t{0};

struct indexed_block {
    std::uint64_t offset = 0;       ///< of its header in the file
    std::uint64_t first_number = 0; ///< as in block_header
    std::uint32_t record_bytes = 0; ///< at most; behind a header
    std::uint32_t records = 0;      ///< as counted when they were written
    bool sealed = false;
    std::uint32_t next = no_block; ///< of the same thread
};

/// The blocks of one thread, in order.
struct indexed_thread {
    std::uint32_t first = no_block;
    std::uint32_t last = no_block;
};

/// Memory: some 40 bytes a block, and a thread.
struct block_index {
    file_header header;
    std::vector<indexed_block> blocks;
    std::vector<indexed_thread> threads;
};

/// Reads the headers, and of a sealed file all of it, against the checksums. Returns: the error if
/// and only if the file is no trace, is cut, or contradicts itself; else `index` is complete.
std::optional<trace_error> build_index(trace_file& file, block_index& index);

/// The checksum of a block or a file header whose own field, in its last four bytes, is 0.
[[nodiscard]] std::uint32_t checksum_of(const block_header& header, const unsigned char* records,
                                        std::size_t bytes) noexcept;
[[nodiscard]] std::uint32_t checksum_of(const file_header& header) noexcept;

} // namespace resident::trace
