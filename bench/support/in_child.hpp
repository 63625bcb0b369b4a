/// Runs something in a child process, which takes everything it did to memory away with it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace resident::bench {

/// What came of a child.
struct child_result {
    std::optional<std::string> text{}; ///< what the function returned; none if it did not come to
    std::string failure{};             ///< why there is no text
    bool crashed = false; ///< for a signal of its own: not SIGKILL, which the OOM killer sends
};

/// Runs `function` in a child forked here, which has this thread alone.
child_result text_from_child(const std::function<std::string()>& function);

/// The same for each of `functions`, as many at a time as there are processors: not for what is
/// timed.
std::vector<child_result>
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

} // namespace resident::bench
