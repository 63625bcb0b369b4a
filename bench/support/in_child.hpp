/// Runs something in a child process, which takes everything it did to memory away with it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace resident::bench {

/// Returns: what `function` returned in a child forked here; none if the child did not come to
/// that. The child has this thread alone.
std::optional<std::string> text_from_child(const std::function<std::string()>& function);

/// The same for each of `functions`, as many at a time as there are processors: not for what is
/// timed.
std::vector<std::optional<std::string>>
text_from_children(const std::vector<std::function<std::string()>>& functions);

/// What a child sends, and receives here, of a type that can be copied byte by byte.
template <class Value>
std::string bytes_of(const Value& value) {
    static_assert(std::is_trivially_copyable_v<Value>);
    return {reinterpret_cast<const char*>(&value), sizeof value};
}
template <class Value>
std::optional<Value> value_of(const std::optional<std::string>& bytes) {
    static_assert(std::is_trivially_copyable_v<Value>);
    if (!bytes || bytes->size() != sizeof(Value)) {
        return std::nullopt;
    }
    Value received{};
    bytes->copy(reinterpret_cast<char*>(&received), sizeof received);
    return received;
}

/// The same for what can be copied byte by byte.
template <class Function>
auto in_child(Function function) -> std::optional<std::invoke_result_t<Function>> {
    return value_of<std::invoke_result_t<Function>>(
        text_from_child([&function] { return bytes_of(function()); }));
}

} // namespace resident::bench
