#include "pool/guarded_block.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace resident::detail {

namespace {

/// Returns: the first byte in [begin, end) that is not `value`; null if there is none.
const std::byte* first_other(const std::byte* begin, const std::byte* end,
                             std::byte value) noexcept {
    constexpr std::size_t word = sizeof(std::uint64_t);
    constexpr std::uint64_t ones = 0x0101010101010101;
    const std::uint64_t expected = ones * static_cast<std::uint8_t>(value);
    for (; static_cast<std::size_t>(end - begin) >= word; begin += word) {
        std::uint64_t found = 0;
        std::memcpy(&found, begin, word);
        if (found != expected)
            break;
    }
    begin = std::find_if(begin, end, [=](std::byte found) { return found != value; });
    return begin != end ? begin : nullptr;
}

void overwrite(std::byte* begin, const std::byte* end, std::byte value) noexcept {
    std::memset(begin, static_cast<int>(value), static_cast<std::size_t>(end - begin));
}

} // namespace

guarded_block::guarded_block(std::byte* begin, std::size_t extent) noexcept
    : begin_(begin), extent_(extent) {
    const std::uint64_t packed = word_at(state_begin + sizeof(std::uint64_t));
    const std::uint64_t exponent = packed >> exponent_shift;
    request_.bytes = packed & ((std::uint64_t{1} << exponent_shift) - 1);
    if (std::uint64_t{1} << exponent % 64 <= largest_guarded && exponent < 64)
        request_.alignment = std::size_t{1} << exponent;
    else
        request_.bytes = ~std::size_t{0}; // no request at all: the state will not fit it
}

std::byte* guarded_block::begin_use() const noexcept {
    std::byte* const given = memory();
    if (has_header()) {
        overwrite(begin_, begin_ + state_begin, canary);
        write_header(condition::in_use);
        overwrite(begin_ + header_end, given, canary);
    }
    overwrite(given, given + request_.bytes, allocated_fill);
    overwrite(given + request_.bytes, begin_ + extent_, canary);
    return given;
}

void guarded_block::end_use() const noexcept {
    if (has_header())
        write_header(condition::free);
    overwrite(begin_ + (has_header() ? header_end : 0), begin_ + extent_, freed_fill);
}

guarded_block::condition guarded_block::state() const noexcept {
    if (!has_header())
        return condition::in_use;
    if (word_at(state_begin + sizeof(std::uint64_t)) != packed_request())
        return condition::unknown; // of a run, whose request is known from elsewhere
    const std::uint64_t found = word_at(state_begin);
    if (found == state_of(condition::in_use))
        return condition::in_use;
    return found == state_of(condition::free) ? condition::free : condition::unknown;
}

const std::byte* guarded_block::damage_before() const noexcept {
    if (!has_header())
        return nullptr;
    const std::byte* const damage = first_other(begin_, begin_ + state_begin, canary);
    return damage != nullptr ? damage : first_other(begin_ + header_end, memory(), canary);
}

const std::byte* guarded_block::damage_behind() const noexcept {
    return first_other(memory() + request_.bytes, begin_ + extent_, canary);
}

const std::byte* guarded_block::damage_in_fill() const noexcept {
    return first_other(begin_ + header_end, begin_ + extent_, freed_fill);
}

std::uint64_t guarded_block::packed_request() const noexcept {
    const auto exponent = static_cast<std::uint64_t>(std::countr_zero(request_.alignment));
    return request_.bytes | exponent << exponent_shift;
}

/// The multiplier is odd, so no two blocks or requests come to the same state by it; and a request
/// that was changed does not make a block in use look free.
std::uint64_t guarded_block::state_of(condition state) const noexcept {
    constexpr std::uint64_t multiplier = 0x9E3779B97F4A7C15;
    const std::uint64_t mixed =
        (reinterpret_cast<std::uintptr_t>(begin_) ^ packed_request()) * multiplier;
    return state == condition::in_use ? mixed : ~mixed;
}

std::uint64_t guarded_block::word_at(std::size_t offset) const noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, begin_ + offset, sizeof(word));
    return word;
}

void guarded_block::write_header(condition state) const noexcept {
    const std::uint64_t words[2] = {state_of(state), packed_request()};
    static_assert(state_begin + sizeof(words) == header_end);
    std::memcpy(begin_ + state_begin, words, sizeof(words));
}

} // namespace resident::detail
