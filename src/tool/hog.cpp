#include "os/harness/periodic_clock.hpp"
#include "os/harness/realtime_thread.hpp"
#include "os/harness/shared_memory.hpp"
#include "tool/contest_channel.hpp"
#include "tool/contest_child.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace resident::tool {
namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t pages_per_burst = 256;
constexpr std::int64_t pause_after_burst = 1'000'000;

/// Content that no kernel takes for a page of one value, which would need no swap. Volatile: nobody
/// reads it, so that a compiler may leave writing, and the memory, out.
void write_page(volatile std::uint64_t* words, std::uint64_t seed) {
    for (std::uint64_t word = 0; word < page / sizeof(std::uint64_t); word += 8) {
        words[word] = seed * 0x9e3779b97f4a7c15 + word;
    }
}

} // namespace

int run_hog_child() {
    std::string reason;
    const auto memory = os::shared_memory::open(3, reason);
    if (!memory)
        return 1;
    auto& channel = *static_cast<hog_channel*>(memory->data());
    if (channel.processor_to_avoid >= 0)
        os::avoid_processor(channel.processor_to_avoid);
    std::vector<std::uint64_t> words(channel.bytes / sizeof(std::uint64_t));
    const std::size_t pages = channel.bytes / page;
    for (std::uint64_t seed = 1;; ++seed) {
        for (std::size_t index = 0; index < pages; ++index) {
            write_page(&words[index * (page / sizeof(std::uint64_t))], seed + index);
            // Paced after the first pass: as much as keeps everything unlocked on its way out, and
            // leaves the disk some time for what the contestant wants back.
            if (seed > 1 && index % pages_per_burst == 0) {
                os::sleep_until(os::monotonic_nanoseconds() + pause_after_burst);
            }
        }
        channel.passes.fetch_add(1);
    }
}

} // namespace resident::tool
