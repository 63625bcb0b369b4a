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

/// Whether an element is made with the container's allocator: a string on a pool has no other.
/// Asked first, because such a string says that it can be made without, and then cannot.
template <class T, class Container>
inline constexpr bool takes_allocator =
    std::uses_allocator_v<T, typename Container::allocator_type>;

/// A key has to own its text: that which it is made from does not last.
template <class Key, class Container>
constexpr bool is_made_from_text() {
    using allocator_type = typename Container::allocator_type;
    if constexpr (std::convertible_to<std::string_view, Key> && std::is_trivially_copyable_v<Key>)
        return false; // a view itself
    else if constexpr (takes_allocator<Key, Container>)
        return std::constructible_from<Key, std::string_view, const allocator_type&> ||
               std::constructible_from<Key, std::allocator_arg_t, const allocator_type&,
                                       std::string_view>;
    else
        return std::constructible_from<Key, std::string_view>;
}

/// Calls `use` with something that makes the `index`-th of distinct keys.
template <class Key, class Container, class Use>
void with_distinct_key(std::size_t index, Use use) {
    if constexpr (numbered<Key>) {
        use(static_cast<Key>(index));
    } else if constexpr (is_made_from_text<Key, Container>()) {
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
        if constexpr (requires { typename Container::key_type; }) {
            using key_type = typename Container::key_type;
            with_distinct_key<key_type, Container>(
                index, [&container](const auto& key) { add_under(container, key); });
        } else {
            add_unkeyed(container);
        }
    }

private:
    /// Both are made in place, unless one of them needs the container's allocator for that.
    template <class Container, class Number>
    static void add_under(Container& container, const Number& number) {
        using key_type = typename Container::key_type;
        constexpr bool is_key_alone = !takes_allocator<key_type, Container>;
        if constexpr (!requires { typename Container::mapped_type; }) {
            if constexpr (is_key_alone)
                container.emplace(number);
            else
                container.emplace(make<key_type>(container, number));
        } else {
            using mapped_type = typename Container::mapped_type;
            if constexpr (is_key_alone && !takes_allocator<mapped_type, Container>)
                container.emplace(std::piecewise_construct, std::forward_as_tuple(number),
                                  std::forward_as_tuple());
            else
                container.emplace(make<key_type>(container, number), make<mapped_type>(container));
        }
    }

    template <class Container>
    static void add_unkeyed(Container& container) {
        using value_type = typename Container::value_type;
        if constexpr (takes_allocator<value_type, Container>)
            if constexpr (requires { container.push_back(std::declval<value_type>()); })
                container.push_back(make<value_type>(container));
            else
                container.push_front(make<value_type>(container));
        else if constexpr (requires { container.emplace_back(); })
            container.emplace_back();
        else if constexpr (requires { container.emplace_front(); })
            container.emplace_front();
        else
            container.push_back(value_type{}); // a string
    }

    template <class T, class Container, class... Arguments>
    static T make(const Container& container, const Arguments&... arguments) {
        return std::make_obj_using_allocator<T>(container.get_allocator(), arguments...);
    }
};

} // namespace resident::detail
