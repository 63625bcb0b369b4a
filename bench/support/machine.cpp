#include "support/machine.hpp"

#include "os/harness/realtime_thread.hpp"
#include "support/shared_arena.hpp"
#include "tool/machine.hpp"
#include "tool/text_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace resident::bench {

namespace {

int pinned_to = -1; // by pin_to_one_processor()

/// Those that this thread might run on at the first call.
const std::vector<int>& processors() {
    static const std::vector<int> found = os::allowed_processors();
    return found;
}

} // namespace

int pin_to_one_processor() {
    const std::vector<int>& allowed = processors();
    pinned_to = !allowed.empty() && os::pin_to_processor(allowed.back()) == 0 ? allowed.back() : -1;
    return pinned_to;
}

void pin_in_turn(std::size_t index) {
    if (const std::vector<int>& allowed = processors(); !allowed.empty()) {
        os::pin_to_processor(allowed[index % allowed.size()]);
    }
}

std::vector<std::pair<std::string, std::string>> describe_this_machine() {
    auto facts = tool::describe_machine();
    facts.emplace_back(tool::pinned_fact,
                       pinned_to >= 0 ? std::to_string(pinned_to) : tool::not_pinned);
    facts.emplace_back("arena", describe_shared_arena());
    std::erase_if(facts, [](const auto& fact) { return fact.second.empty(); });
    return facts;
}

void print_machine() {
    shared_arena();
    const auto facts = describe_this_machine();
    const auto value = [&facts](std::string_view name) -> std::string_view {
        const auto found = std::find_if(facts.begin(), facts.end(),
                                        [name](const auto& fact) { return fact.first == name; });
        return found == facts.end() ? "unknown" : std::string_view{found->second};
    };
    fmt::print("{}, Linux {}, pinned to processor: {}\nArena: {}\n", value("processor"),
               value("kernel"), value(tool::pinned_fact), value("arena"));
    std::fflush(stdout);
}

std::vector<std::pair<std::string, std::string>> missing_contestants() {
    constexpr std::string_view listed = RESIDENT_BENCH_MISSING; // name=package|...
    std::vector<std::pair<std::string, std::string>> found;
    for (std::size_t begin = 0; begin < listed.size();) {
        const std::size_t middle = listed.find('=', begin);
        const std::size_t end = std::min(listed.find('|', middle), listed.size());
        found.emplace_back(listed.substr(begin, middle - begin),
                           fmt::format("not found when the build was configured (Debian: {})",
                                       listed.substr(middle + 1, end - middle - 1)));
        begin = end + 1;
    }
    return found;
}

void name_missing_contestants() {
    for (const auto& [name, reason] : missing_contestants()) {
        fmt::print("{}", tool::wrap("* ", fmt::format("{}: {}", name, reason)));
    }
    std::fflush(stdout);
}

} // namespace resident::bench
