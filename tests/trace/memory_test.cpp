// Concerns: that reading takes memory for threads and blocks, not for events.
// Plan: traces of different lengths are written and read in children, whose VmHWM is compared. By
// wish RESIDENT_TRACE_EVENTS=100000000 events, in a run without ctest, which ends tests after 120
// s.

#include "support/build.hpp"
#include "trace/made_up.hpp"

#include <chrono>
#include <cstdlib>

#include <sys/wait.h>
#include <unistd.h>

namespace resident::trace {
namespace {

using namespace test;

/// In KiB; of this process, since it began.
std::size_t high_water_mark() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmHWM:"))
            return std::strtoul(line.c_str() + 6, nullptr, 10);
    return 0;
}

/// Eight threads that allocate, free and reallocate among 64 blocks each.
bool write_long(const std::string& path, std::uint64_t events) {
    std::string reason;
    auto made = writer::create(path, {.process = 42, .command = "long"}, reason);
    std::mt19937 random(5);
    std::vector<std::uint64_t> blocks(512);
    std::uint64_t left = events;
    while (made && left != 0) {
        const std::uint32_t thread = random() % 8;
        std::uint64_t& block = blocks[thread * 64 + random() % 64];
        event next{.kind = event_kind::allocate, .thread = thread, .size = random() % 2000};
        if (block != 0) {
            next.kind = random() % 8 == 0 ? event_kind::reallocate : event_kind::free;
            next.old_address = block;
        }
        const std::uint64_t fresh = 0x5555'0000'0000 + random() % 100'000 * 16;
        next.address = next.kind == event_kind::free ? block : fresh;
        if (next.kind != event_kind::reallocate)
            next.old_address = 0;
        if (next.kind == event_kind::free)
            next.size = 0;
        block = next.kind == event_kind::free ? 0 : next.address;
        if (!made->append(next))
            return false;
        --left;
    }
    return made && !made->finish();
}

/// Returns: how many events there are, 0 at an error.
std::uint64_t read_through(const std::string& path) {
    auto opened = reader::open(path);
    auto* const read = std::get_if<0>(&opened);
    std::uint64_t events = 0;
    for (event each; read != nullptr && read->next(each);)
        ++events;
    return read != nullptr && !read->error() && events == read->header().events ? events : 0;
}

struct taken {
    std::uint64_t result = 0;
    std::size_t kibibytes = 0;
    double seconds = 0;
};

/// In a child, so that its memory is its own.
template <class Work>
taken measure(Work work) {
    std::array<int, 2> answer{};
    if (::pipe(answer.data()) != 0)
        return {};
    const pid_t child = ::fork();
    if (child == 0) {
        const auto begin = std::chrono::steady_clock::now();
        taken told{.result = work()};
        told.kibibytes = high_water_mark();
        told.seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        ::_exit(::write(answer[1], &told, sizeof told) == sizeof told ? 0 : 1);
    }
    taken told;
    ::close(answer[1]);
    if (::read(answer[0], &told, sizeof told) != sizeof told)
        told = {};
    ::close(answer[0]);
    ::waitpid(child, nullptr, 0);
    return told;
}

TEST(TraceMemory, DoesNotGrowWithTheEvents) {
    if (sanitized)
        GTEST_SKIP() << "a sanitizer keeps what is freed, and shadows what is not";
    const char* const wished = std::getenv("RESIDENT_TRACE_EVENTS");
    const std::uint64_t many = wished != nullptr ? std::strtoull(wished, nullptr, 10) : 1'000'000;
    const trace_folder folder;
    const auto measured = [&](std::uint64_t events) {
        const taken writing =
            measure([&] { return std::uint64_t{write_long(folder.file("trace"), events)}; });
        EXPECT_EQ(writing.result, 1U);
        const taken reading = measure([&] { return read_through(folder.file("trace")); });
        EXPECT_GE(reading.result, events);
        const std::uint64_t bytes = std::filesystem::file_size(folder.file("trace"));
        std::printf("%llu events: %llu bytes, written in %.1f s with VmHWM %zu KiB, read in %.1f s "
                    "with VmHWM %zu KiB\n",
                    static_cast<unsigned long long>(reading.result),
                    static_cast<unsigned long long>(bytes), writing.seconds, writing.kibibytes,
                    reading.seconds, reading.kibibytes);
        return std::pair(reading.kibibytes, bytes);
    };
    const auto [little, little_bytes] = measured(many / 10);
    const auto [much, much_bytes] = measured(many);
    // 64 bytes a block, as the index grows by doubling; and what the runtime does now and then.
    const std::size_t for_blocks = (much_bytes - little_bytes) / full_block_bytes * 128 / 1024;
    EXPECT_LE(much, little + for_blocks + 1024);
}

} // namespace
} // namespace resident::trace
