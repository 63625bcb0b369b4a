#include "trace/checksum.hpp"

#include <array>
#include <cstring>

namespace resident::trace {
namespace {

/// tables[k][b]: the remainder of byte b followed by k zero bytes, so that eight bytes are taken
/// at a time.
constexpr auto make_tables() noexcept {
    std::array<std::array<std::uint32_t, 256>, 8> tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t remainder = byte;
        for (int bit = 0; bit < 8; ++bit)
            remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? 0x82F63B78U : 0);
        tables[0][byte] = remainder;
    }
    for (std::size_t zeros = 1; zeros < tables.size(); ++zeros)
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t before = tables[zeros - 1][byte];
            tables[zeros][byte] = (before >> 8) ^ tables[0][before & 0xFF];
        }
    return tables;
}
constexpr auto tables = make_tables();

} // namespace

std::uint32_t checksum(const void* data, std::size_t bytes, std::uint32_t before) noexcept {
    const auto* at = static_cast<const unsigned char*>(data);
    std::uint32_t remainder = ~before;
    for (; bytes >= 8; bytes -= 8, at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, sizeof word);
        word ^= remainder;
        remainder = 0;
        for (unsigned byte = 0; byte < 8; ++byte)
            remainder ^= tables[7 - byte][word >> (8 * byte) & 0xFF];
    }
    for (; bytes != 0; --bytes, ++at)
        remainder = (remainder >> 8) ^ tables[0][(remainder ^ *at) & 0xFF];
    return ~remainder;
}

} // namespace resident::trace
