/// Putting elements into any of the standard containers, to see what they take.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <memory>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace resident::detail {

/// A standard container that can be made on a pool: its allocator is resident::allocator or
/// std::pmr::polymorphic_allocator, or adapts one of them.
template <class Container, class Pool>
concept container_on = std::constructible_from<typename Container::allocator_type, Pool*> &&
    std::constructible_from<Container, const typename Container::allocator_type&>;

/// One whose elements each have, or share, a node or chunk: any but vector and string.
template <class Container>
concept has_nodes = !requires(const Container& container) {
    container.capacity();
};

/// Keys of these types can be told apart by their number alone.
template <class Key>
concept numbered = std::is_arithmetic_v<Key> || std::is_enum_v<Key>;

template <class>
inline constexpr bool always_false = false;

/// Calls `use` with something that makes the `index`-th of distinct keys.
template <class Key, class Use>
void with_distinct_key(std::size_t index, Use use) {
    if constexpr (numbered<Key>) {
        use(static_cast<Key>(index));
    } else if constexpr (std::constructible_from<Key, std::string_view> ||
                         std::uses_allocator_v<Key, typename Key::allocator_type>) {
        std::array<char, 24> digits{};
        char* const end = std::to_chars(digits.begin(), digits.end(), index).ptr;
        use(std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
    } else {
        static_assert(always_false<Key>, "the keys are neither numbers nor text: pass a function "
                                         "(container, index) that adds one of your own");
    }
}

/// Adds the element number `index`: value-constructed, under a key that no other index has.
struct add_element {
    template <class Container>
    void operator()(Container& container, std::size_t index) const {
        if constexpr (requires { typename Container::mapped_type; }) {
            with_distinct_key<typename Container::key_type>(index, [&container](const auto& key) {
                container.emplace(std::piecewise_construct, std::forward_as_tuple(key),
                                  std::forward_as_tuple());
            });
        } else if constexpr (requires { typename Container::key_type; }) {
            with_distinct_key<typename Container::key_type>(
                index, [&container](const auto& key) { container.emplace(key); });
        } else if constexpr (requires { container.emplace_back(); }) {
            container.emplace_back();
        } else if constexpr (requires { container.emplace_front(); }) {
            container.emplace_front();
        } else {
            container.push_back(typename Container::value_type{}); // a string
        }
    }
};

} // namespace resident::detail
