/// The work of the demo: nested standard containers that keep the latest records.
#pragma once

#include "tool/records.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory_resource>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace resident::tool {

/// The latest `capacity` arrivals of the input, by key and in order of arrival. All memory comes
/// from one std::pmr::memory_resource, so that every contestant runs the same code.
///
/// The input is taken over and over; an arrival's key is its record's key and its number.
class record_store {
public:
    /// Requires: `input` outlives the store; capacity is not 0.
    record_store(const record_view& input, std::size_t capacity, std::pmr::memory_resource& memory);

    /// Effects: evicts the oldest record if the store is full, then takes in the next one.
    /// Throws: std::bad_alloc if the resource does.
    void take_next();

    /// Effects: finds one of the records kept, each as likely as another, and reads all of it.
    /// Returns: a sum over its bytes, so that the reading cannot be left out.
    std::uint64_t look_up_any();

    [[nodiscard]] std::size_t size() const noexcept { return records_.size(); }
    [[nodiscard]] std::uint64_t arrivals() const noexcept { return arrivals_; }

private:
    /// Allocator-aware, so that its strings use the map's memory.
    struct record {
        using allocator_type = std::pmr::polymorphic_allocator<>;
        explicit record(const allocator_type& allocator) : lines(allocator) {}

        std::pmr::vector<std::pmr::string> lines;
    };

    /// Finds by string_view: a lookup makes no string.
    struct key_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view key) const noexcept {
            return std::hash<std::string_view>{}(key);
        }
    };

    /// Composes the key of an arrival in `buffer_`.
    std::string_view key_of_arrival(std::uint64_t number) noexcept;
    std::uint64_t random() noexcept;

    record_view input_;
    std::size_t capacity_;
    std::uint64_t arrivals_ = 0;
    std::uint64_t random_state_ = 0x9e3779b97f4a7c15; // the same for every contestant
    char buffer_[96];
    std::pmr::list<std::pmr::string> in_order_of_arrival_;
    std::pmr::unordered_map<std::pmr::string, record, key_hash, std::equal_to<>> records_;
};

} // namespace resident::tool
