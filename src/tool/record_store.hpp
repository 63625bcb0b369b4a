/// The work of the demo: nested standard containers that keep the latest records.
#pragma once

#include "resident/allocator.hpp"
#include "resident/synchronized_pool_resource.hpp"
#include "tool/records.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory_resource>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace resident::tool {

/// The containers of std::pmr: whatever the memory is, they reach it by a virtual call.
struct pmr_containers {
    using memory = std::pmr::memory_resource;
    template <class T>
    using allocator = std::pmr::polymorphic_allocator<T>;
};

/// The containers of resident::allocator: they know their pool when they are compiled.
struct pool_containers {
    using memory = unsynchronized_pool_resource;
    template <class T>
    using allocator = resident::allocator<T>;
};

/// The same on the pool that threads share.
struct shared_pool_containers {
    using memory = synchronized_pool_resource;
    template <class T>
    using allocator = resident::allocator<T, memory>;
};

/// The latest `capacity` arrivals of the input, by key and in order of arrival. All memory comes
/// from one place, named for each element: std::pmr would hand it down, and so would
/// scoped_allocator, but that one makes each vector 8 bytes larger (libstdc++ 12). So every
/// contestant runs the same code and asks for the same sizes.
///
/// The input is taken over and over; an arrival's key is its record's key and its number.
template <class Containers>
class record_store {
public:
    using memory = typename Containers::memory;
    class removed_record;

    /// Requires: `input` outlives the store; capacity is not 0.
    record_store(const record_view& input, std::size_t capacity, memory& source);

    /// Effects: evicts the oldest record if the store is full, then takes in the next one.
    /// Throws: std::bad_alloc if the memory does.
    void take_next();

    /// Requires: the store is not empty. Effects: removes the oldest record and frees none of its
    /// memory: what is returned does so when it is destroyed, on any thread if the memory allows.
    [[nodiscard]] removed_record remove_oldest() noexcept;

    /// Effects: finds one of the records kept, each as likely as another, and reads all of it.
    /// Returns: a sum over its bytes, so that the reading cannot be left out.
    std::uint64_t look_up_any();

    [[nodiscard]] std::size_t size() const noexcept { return records_.size(); }
    [[nodiscard]] bool full() const noexcept { return records_.size() == capacity_; }
    [[nodiscard]] std::uint64_t arrivals() const noexcept { return arrivals_; }

private:
    template <class T>
    using allocator = typename Containers::template allocator<T>;
    using string = std::basic_string<char, std::char_traits<char>, allocator<char>>;
    using record = std::vector<string, allocator<string>>; ///< its lines

    /// Finds by string_view: a lookup makes no string.
    struct key_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view key) const noexcept {
            return std::hash<std::string_view>{}(key);
        }
    };

    using key_list = std::list<string, allocator<string>>;
    using record_map = std::unordered_map<string, record, key_hash, std::equal_to<>,
                                          allocator<std::pair<const string, record>>>;

    /// Composes the key of an arrival in `buffer_`.
    std::string_view key_of_arrival(std::uint64_t number) noexcept;
    std::uint64_t random() noexcept;

    record_view input_;
    std::size_t capacity_;
    memory* source_;
    std::uint64_t arrivals_ = 0;
    std::uint64_t random_state_ = 0x9e3779b97f4a7c15; // the same for every contestant
    char buffer_[96];
    key_list in_order_of_arrival_;
    record_map records_;
};

/// All that the store had of a record: its node in the list, alone, and its node in the map.
template <class Containers>
class record_store<Containers>::removed_record {
    friend record_store;
    removed_record(key_list arrival, typename record_map::node_type entry) noexcept
        : arrival_(std::move(arrival)), entry_(std::move(entry)) {}

    key_list arrival_;
    typename record_map::node_type entry_;
};

extern template class record_store<pmr_containers>;
extern template class record_store<pool_containers>;
extern template class record_store<shared_pool_containers>;

} // namespace resident::tool
