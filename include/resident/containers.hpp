/// The standard containers on resident::allocator, by their own names.
#pragma once

#include "resident/allocator.hpp"

#include <deque>
#include <forward_list>
#include <functional>
#include <list>
#include <map>
#include <scoped_allocator>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace resident {

// Every constructor takes the pool as its allocator: resident::vector<int> v{pool};
// Beside a braced list of one pair that is ambiguous, to the compiler; the pool's address is not:
// resident::map<int, int> m{{{1, 2}}, &pool};
// The last parameter of each says which kind of pool: resident::list<int,
// synchronized_pool_resource>. Containers in containers, with the pool handed down to the inner
// ones, are std::vector<resident::string, resident::scoped_allocator<resident::string>>.

/// Hands the pool down to elements that take an allocator of the same kind.
template <class T, class Resource = unsynchronized_pool_resource>
using scoped_allocator = std::scoped_allocator_adaptor<allocator<T, Resource>>;

template <class T, class Resource = unsynchronized_pool_resource>
using vector = std::vector<T, allocator<T, Resource>>;
template <class T, class Resource = unsynchronized_pool_resource>
using deque = std::deque<T, allocator<T, Resource>>;
template <class T, class Resource = unsynchronized_pool_resource>
using list = std::list<T, allocator<T, Resource>>;
template <class T, class Resource = unsynchronized_pool_resource>
using forward_list = std::forward_list<T, allocator<T, Resource>>;
template <class Key, class Compare = std::less<Key>, class Resource = unsynchronized_pool_resource>
using set = std::set<Key, Compare, allocator<Key, Resource>>;
template <class Key, class Compare = std::less<Key>, class Resource = unsynchronized_pool_resource>
using multiset = std::multiset<Key, Compare, allocator<Key, Resource>>;
template <class Key, class T, class Compare = std::less<Key>,
          class Resource = unsynchronized_pool_resource>
using map = std::map<Key, T, Compare, allocator<std::pair<const Key, T>, Resource>>;
template <class Key, class T, class Compare = std::less<Key>,
          class Resource = unsynchronized_pool_resource>
using multimap = std::multimap<Key, T, Compare, allocator<std::pair<const Key, T>, Resource>>;
template <class Key, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>,
          class Resource = unsynchronized_pool_resource>
using unordered_set = std::unordered_set<Key, Hash, Equal, allocator<Key, Resource>>;
template <class Key, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>,
          class Resource = unsynchronized_pool_resource>
using unordered_multiset = std::unordered_multiset<Key, Hash, Equal, allocator<Key, Resource>>;
template <class Key, class T, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>,
          class Resource = unsynchronized_pool_resource>
using unordered_map =
    std::unordered_map<Key, T, Hash, Equal, allocator<std::pair<const Key, T>, Resource>>;
template <class Key, class T, class Hash = std::hash<Key>, class Equal = std::equal_to<Key>,
          class Resource = unsynchronized_pool_resource>
using unordered_multimap =
    std::unordered_multimap<Key, T, Hash, Equal, allocator<std::pair<const Key, T>, Resource>>;
template <class Char, class Traits = std::char_traits<Char>,
          class Resource = unsynchronized_pool_resource>
using basic_string = std::basic_string<Char, Traits, allocator<Char, Resource>>;
using string = basic_string<char>;
using wstring = basic_string<wchar_t>;
using u8string = basic_string<char8_t>;
using u16string = basic_string<char16_t>;
using u32string = basic_string<char32_t>;

} // namespace resident

/// The hash of a string on a pool is that of the same text in any other string, as with std::pmr.
template <class Char, class Resource>
requires std::is_default_constructible_v<std::hash<std::basic_string_view<Char>>>
struct std::hash<
    std::basic_string<Char, std::char_traits<Char>, resident::allocator<Char, Resource>>> {
    std::size_t operator()(std::basic_string_view<Char> text) const noexcept {
        return std::hash<std::basic_string_view<Char>>{}(text);
    }
};
