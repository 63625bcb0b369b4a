#include "trace/record_decoder.hpp"

namespace resident::trace {

std::size_t record_decoder::decode(std::span<const unsigned char> bytes, record& what) noexcept {
    what = {};
    rest_ = bytes.empty() ? bytes : bytes.subspan(1);
    if (bytes.empty() || bytes.front() == 0)
        return 1;
    return decode_tagged(bytes.front(), what)
               ? static_cast<std::size_t>(rest_.data() - bytes.data())
               : 0;
}

bool record_decoder::decode_tagged(unsigned tag, record& what) noexcept {
    std::uint64_t gap = tag >> kind_bits;
    if (gap == short_gap_limit) {
        if (!get(gap))
            return false;
        if (gap >= number_limit)
            return refuse("a record's number is above 2^56");
        gap += short_gap_limit;
    }
    what.kind = static_cast<record_kind>(tag & ((1U << kind_bits) - 1));
    what.number = next_number_ + gap;
    what.last_number = what.number;
    if (what.kind == record_kind::end)
        return refuse("a tag that has no meaning");
    if (!decode_body(what))
        return false;
    if (what.last_number >= number_limit)
        return refuse("a record's number is above 2^56");
    next_number_ = what.last_number + 1;
    return true;
}

bool record_decoder::decode_body(record& what) noexcept {
    std::uint64_t number = 0;
    switch (what.kind) {
    case record_kind::reallocate:
        if (!get_address(what.old_address) || !get_address(what.address) || !get_size(what.size) ||
            !get(number))
            return false;
        if (number >= number_limit)
            return refuse("a record's number is above 2^56");
        what.last_number = what.number + 1 + number;
        return true;
    case record_kind::allocate_aligned:
        if (!get_address(what.address) || !get_size(what.size) || !get(number))
            return false;
        if (number > alignment_bits_limit)
            return refuse("an alignment above 2^47");
        what.alignment_bits = static_cast<unsigned>(number);
        return true;
    case record_kind::allocate:
        return get_address(what.address) && get_size(what.size);
    case record_kind::free:
        return get_address(what.address);
    case record_kind::failed:
        return get(what.size); // what could not be had may well be absurd
    default:
        return true;
    }
}

bool record_decoder::get(std::uint64_t& value) noexcept {
    value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (rest_.empty())
            return refuse("a record goes on behind the end of its block");
        const std::uint64_t byte = rest_.front();
        rest_ = rest_.subspan(1);
        if (shift == 63 && byte > 1)
            return refuse("a number of more than 64 bits");
        value |= (byte & 0x7F) << shift;
        if (byte < 0x80)
            return byte != 0 || shift == 0 || refuse("a number is written longer than it is");
    }
    return refuse("a number of more than 64 bits");
}

bool record_decoder::get_address(std::uint64_t& address) noexcept {
    std::uint64_t folded = 0;
    if (!get(folded))
        return false;
    address = last_address_ = unfold_distance(folded, last_address_);
    if (address == 0 || address >= address_limit)
        return refuse("an address that is 0 or above 2^57");
    return true;
}

bool record_decoder::get_size(std::uint64_t& size) noexcept {
    if (!get(size))
        return false;
    return size <= size_limit || refuse("a size above 2^47 bytes");
}

} // namespace resident::trace
