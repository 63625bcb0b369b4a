#include "tool/record_store.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <iterator>
#include <tuple>
#include <utility>

namespace resident::tool {

template <class Containers>
record_store<Containers>::record_store(const record_view& input, std::size_t capacity,
                                       memory& source)
    : input_(input), capacity_(capacity), source_(&source),
      in_order_of_arrival_(allocator<string>(&source)),
      records_(allocator<std::pair<const string, record>>(&source)) {
    records_.reserve(capacity); // a rehash takes time that grows with the number of records
}

template <class Containers>
std::string_view record_store<Containers>::key_of_arrival(std::uint64_t number) noexcept {
    const std::string_view key = key_of(input_.arrival(number));
    std::memcpy(buffer_, key.data(), key.size());
    char* end = buffer_ + key.size();
    *end++ = '#';
    end = std::to_chars(end, std::end(buffer_), number).ptr;
    return {buffer_, static_cast<std::size_t>(end - buffer_)};
}

template <class Containers>
void record_store<Containers>::take_next() {
    if (full()) {
        records_.erase(records_.find(in_order_of_arrival_.front()));
        in_order_of_arrival_.pop_front();
    }
    const std::string_view text = input_.arrival(arrivals_);
    const std::string_view key = key_of_arrival(arrivals_);
    const allocator<char> memory_of_text(source_);
    record& kept =
        records_
            .emplace(std::piecewise_construct, std::forward_as_tuple(string(key, memory_of_text)),
                     std::forward_as_tuple(record(allocator<string>(source_))))
            .first->second;
    kept.reserve(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1);
    for_each_line(text,
                  [&](std::string_view line) { kept.push_back(string(line, memory_of_text)); });
    in_order_of_arrival_.push_back(string(key, memory_of_text));
    ++arrivals_;
}

template <class Containers>
typename record_store<Containers>::removed_record
record_store<Containers>::remove_oldest() noexcept {
    auto entry = records_.extract(records_.find(in_order_of_arrival_.front()));
    key_list arrival(in_order_of_arrival_.get_allocator());
    arrival.splice(arrival.begin(), in_order_of_arrival_, in_order_of_arrival_.begin());
    return {std::move(arrival), std::move(entry)};
}

template <class Containers>
std::uint64_t record_store<Containers>::look_up_any() {
    const std::uint64_t oldest = arrivals_ - records_.size();
    const auto found = records_.find(key_of_arrival(oldest + random() % records_.size()));
    std::uint64_t sum = 0;
    for (const string& line : found->second) {
        for (const char character : line)
            sum += static_cast<unsigned char>(character);
    }
    return sum;
}

/// xorshift64 (Marsaglia, 2003): reproducible, and no state but one word.
template <class Containers>
std::uint64_t record_store<Containers>::random() noexcept {
    random_state_ ^= random_state_ << 13;
    random_state_ ^= random_state_ >> 7;
    random_state_ ^= random_state_ << 17;
    return random_state_;
}

template class record_store<pmr_containers>;
template class record_store<pool_containers>;
template class record_store<shared_pool_containers>;

} // namespace resident::tool
