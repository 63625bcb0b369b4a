/// Bytes into records, believing nothing.
#pragma once

#include "trace/format.hpp"

#include <span>

namespace resident::trace {

/// The state between the records of one block.
class record_decoder {
public:
    record_decoder() = default;
    explicit record_decoder(std::uint64_t first_number) noexcept : next_number_(first_number) {}

    /// Reads the record at the begin of `bytes`, which are those left of the block, or more than
    /// longest_record of them. Returns: how many it takes, 0 if it cannot be; then reason() says
    /// why. A tag of 0, or no bytes at all, is the record `end`, of one byte.
    std::size_t decode(std::span<const unsigned char> bytes, record& what) noexcept;

    [[nodiscard]] const char* reason() const noexcept { return reason_; }

private:
    bool decode_tagged(unsigned tag, record& what) noexcept;
    bool decode_body(record& what) noexcept;
    bool get(std::uint64_t& value) noexcept;
    bool get_address(std::uint64_t& address) noexcept;
    bool get_size(std::uint64_t& size) noexcept;
    bool refuse(const char* reason) noexcept {
        reason_ = reason;
        return false;
    }

    std::span<const unsigned char> rest_;
    std::uint64_t next_number_ = 0;
    std::uint64_t last_address_ = 0;
    const char* reason_ = "";
};

} // namespace resident::trace
