/// resident::result<T>: a value or a resident::error, for code that does not use exceptions.
#pragma once

#include "resident/error.hpp"

#include <new>
#include <type_traits>
#include <utility>
#include <variant>

namespace resident {

/// Either a `T` or the `error` that says why there is none. Stands in for std::expected, which
/// C++20 lacks; same meaning for the same names.
///
/// Constructed in place, so that a `T` which cannot move (an arena) can be returned in one.
template <class T>
class [[nodiscard]] result {
public:
    using value_type = T;

    // NOLINTNEXTLINE(google-explicit-constructor): as in std::expected
    result(T value) noexcept(
        std::is_nothrow_move_constructible_v<T>) requires std::is_move_constructible_v<T>
        : content_(std::in_place_index<0>, std::move(value)) {}
    // NOLINTNEXTLINE(google-explicit-constructor): an error is a result
    result(const resident::error& failure) noexcept : content_(std::in_place_index<1>, failure) {}

    /// Effects: constructs the value from `arguments`.
    template <class... Arguments>
    explicit result(std::in_place_t, Arguments&&... arguments)
        : content_(std::in_place_index<0>, std::forward<Arguments>(arguments)...) {}

    [[nodiscard]] bool has_value() const noexcept { return content_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    /// The behavior is undefined unless `has_value()`.
    [[nodiscard]] T& operator*() noexcept { return *std::get_if<0>(&content_); }
    [[nodiscard]] const T& operator*() const noexcept { return *std::get_if<0>(&content_); }
    T* operator->() noexcept { return std::get_if<0>(&content_); }
    const T* operator->() const noexcept { return std::get_if<0>(&content_); }

    /// The behavior is undefined unless `!has_value()`.
    [[nodiscard]] const resident::error& error() const noexcept {
        return *std::get_if<1>(&content_);
    }

protected:
    std::variant<T, resident::error> content_;
};

/// Success without a value, or an error.
using status = result<std::monostate>;

} // namespace resident
