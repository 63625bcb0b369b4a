#include "tool/machine.hpp"

#include "os/harness/periodic_clock.hpp"
#include "os/harness/terminal.hpp"
#include "resident/memory_limit.hpp"
#include "resident/version.hpp"
#include "tool/quantities.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <thread>

namespace resident::tool {
namespace {

std::string first_line(const char* path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

/// The value of the first line "name<separator> value" of a file.
std::string value_in(const char* path, std::string_view name, char separator) {
    std::ifstream file(path);
    std::string line;
    while (std::getline(file, line)) {
        if (!std::string_view(line).starts_with(name))
            continue;
        const std::size_t begin = line.find_first_not_of(" \t\"", line.find(separator) + 1);
        const std::size_t end = line.find_last_not_of(" \t\"");
        if (begin != std::string::npos)
            return line.substr(begin, end - begin + 1);
    }
    return {};
}

/// The item in brackets: how the kernel shows which of several is in force.
std::string chosen(const std::string& line) {
    const std::size_t begin = line.find('[');
    const std::size_t end = line.find(']');
    return begin < end && end != std::string::npos ? line.substr(begin + 1, end - begin - 1) : line;
}

std::string memlock_limit() {
    const auto limit = read_memory_limit();
    if (!limit)
        return {};
    if (limit->exempt)
        return "none (CAP_IPC_LOCK)";
    return limit->hard == unlimited ? "none" : short_size(limit->hard);
}

std::string memory_size(std::string_view kind) {
    const std::string text = value_in("/proc/meminfo", kind, ':');
    return text.empty() ? text : short_size(std::stoull(text) << 10);
}

/// What decides how fast the processor runs.
std::string governor() {
    const std::string told = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    return told.empty() ? "not told (no cpufreq)" : told;
}

} // namespace

std::vector<std::pair<std::string, std::string>> describe_machine() {
    std::vector<std::pair<std::string, std::string>> facts{
        {"processor", value_in("/proc/cpuinfo", "model name", ':')},
        {"processors", std::to_string(std::thread::hardware_concurrency())},
        {"governor", governor()},
        {"memory", memory_size("MemTotal")},
        {"swap", memory_size("SwapTotal")},
        {"system", value_in("/etc/os-release", "PRETTY_NAME", '=')},
        {"kernel", first_line("/proc/sys/kernel/osrelease")},
        {"real-time kernel", first_line("/sys/kernel/realtime") == "1" ? "yes" : "no"},
        {"user", os::is_root() ? "root" : "ordinary"},
        {"memlock limit", memlock_limit()},
        {"transparent huge pages",
         chosen(first_line("/sys/kernel/mm/transparent_hugepage/enabled"))},
        {"compaction moves locked pages",
         first_line("/proc/sys/vm/compact_unevictable_allowed") == "1" ? "may" : "no"},
        {"compiler", RESIDENT_COMPILER},
        {"build", RESIDENT_BUILD},
        {"resident", fmt::format("{}.{}.{}", RESIDENT_VERSION_MAJOR, RESIDENT_VERSION_MINOR,
                                 RESIDENT_VERSION_PATCH)},
    };
    std::erase_if(facts, [](const auto& fact) { return fact.second.empty(); });
    return facts;
}

latency_histogram clock_noise() {
    latency_histogram noise;
    for (int sample = 0; sample != 1'000'000; ++sample) {
        const std::int64_t begin = os::monotonic_nanoseconds();
        noise.record(static_cast<std::uint64_t>(os::monotonic_nanoseconds() - begin));
    }
    return noise;
}

std::string timestamp() {
    const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now));
}

} // namespace resident::tool
