/// CRC-32C (Castagnoli), as in iSCSI, ext4 and many a file format.
#pragma once

#include <cstddef>
#include <cstdint>

namespace resident::trace {

/// Of `bytes` bytes; `before` is the checksum of those that precede them, 0 for none.
[[nodiscard]] std::uint32_t checksum(const void* data, std::size_t bytes,
                                     std::uint32_t before = 0) noexcept;

} // namespace resident::trace
