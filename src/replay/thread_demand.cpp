#include "replay/thread_demand.hpp"

#include "os/cgroups.hpp"
#include "os/text.hpp"
#include "replay/crew.hpp"

#include <array>

namespace resident::replay {
namespace {

constexpr const char* other_remedy = ", or record a run with fewer threads";

std::string size(std::size_t bytes) {
    std::array<char, 32> text{};
    os::text_builder(text).short_size(bytes);
    return text.data();
}

} // namespace

std::string why_not_threads(const trace_summary& summary, const os::thread_room& room,
                            const headroom_snapshot& memory) {
    if (summary.most_threads <= 1)
        return {};
    const std::string threads = "has " + std::to_string(summary.most_threads) +
                                " threads at once, from event " +
                                std::to_string(summary.most_threads_event) + " on";
    if (summary.most_threads > room.left)
        return threads + "; " + room.limit_is + " is " + std::to_string(room.limit) + ", " +
               std::to_string(room.in_use) + " are in use, and a replay may start " +
               std::to_string(room.left) + ": " + room.remedy + other_remedy;
    const std::size_t bytes = summary.most_threads * crew::bytes_each;
    const memory_cgroup_level* const level = os::tightest(memory);
    const bool cgroup = level != nullptr && os::room(*level) <= memory.available_memory;
    const std::size_t left = cgroup ? os::room(*level) : memory.available_memory;
    if (bytes > left / 2)
        return threads + ", which take " + size(bytes) + " of memory; a replay may take half of " +
               size(left) + ", which " +
               (cgroup ? "memory cgroup " + std::string(level->path.data()) +
                             " leaves: raise its limit"
                       : std::string("RAM leaves (MemAvailable): end other programs")) +
               other_remedy;
    return {};
}

} // namespace resident::replay
