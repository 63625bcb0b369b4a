/// Runs something in a child process, which takes everything it did to memory away with it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <type_traits>

namespace resident::bench {

/// Returns: what `function` returned in a child forked here; none if the child did not come to
/// that. The child has this thread alone.
std::optional<std::string> text_from_child(const std::function<std::string()>& function);

/// The same for what can be copied byte by byte.
template <class Function>
auto in_child(Function function) -> std::optional<std::invoke_result_t<Function>> {
    using result = std::invoke_result_t<Function>;
    static_assert(std::is_trivially_copyable_v<result>);
    const auto sent = text_from_child([&function] {
        const result made = function();
        return std::string{reinterpret_cast<const char*>(&made), sizeof made};
    });
    if (!sent || sent->size() != sizeof(result)) {
        return std::nullopt;
    }
    result received{};
    sent->copy(reinterpret_cast<char*>(&received), sizeof received);
    return received;
}

} // namespace resident::bench
