#include "tool/record_store.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <iterator>
#include <tuple>
#include <utility>

namespace resident::tool {

record_store::record_store(const record_view& input, std::size_t capacity,
                           std::pmr::memory_resource& memory)
    : input_(input), capacity_(capacity), in_order_of_arrival_(&memory), records_(&memory) {
    records_.reserve(capacity); // a rehash takes time that grows with the number of records
}

std::string_view record_store::key_of_arrival(std::uint64_t number) noexcept {
    const std::string_view key = key_of(input_.arrival(number));
    std::memcpy(buffer_, key.data(), key.size());
    char* end = buffer_ + key.size();
    *end++ = '#';
    end = std::to_chars(end, std::end(buffer_), number).ptr;
    return {buffer_, static_cast<std::size_t>(end - buffer_)};
}

void record_store::take_next() {
    if (records_.size() == capacity_) {
        records_.erase(records_.find(in_order_of_arrival_.front()));
        in_order_of_arrival_.pop_front();
    }
    const std::string_view text = input_.arrival(arrivals_);
    const std::string_view key = key_of_arrival(arrivals_);
    record& kept =
        records_
            .emplace(std::piecewise_construct, std::forward_as_tuple(key), std::forward_as_tuple())
            .first->second;
    kept.lines.reserve(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1);
    for_each_line(text, [&](std::string_view line) { kept.lines.emplace_back(line); });
    in_order_of_arrival_.emplace_back(key);
    ++arrivals_;
}

std::uint64_t record_store::look_up_any() {
    const std::uint64_t oldest = arrivals_ - records_.size();
    const auto found = records_.find(key_of_arrival(oldest + random() % records_.size()));
    std::uint64_t sum = 0;
    for (const std::pmr::string& line : found->second.lines) {
        for (const char character : line)
            sum += static_cast<unsigned char>(character);
    }
    return sum;
}

/// xorshift64 (Marsaglia, 2003): reproducible, and no state but one word.
std::uint64_t record_store::random() noexcept {
    random_state_ ^= random_state_ << 13;
    random_state_ ^= random_state_ >> 7;
    random_state_ ^= random_state_ << 17;
    return random_state_;
}

} // namespace resident::tool
