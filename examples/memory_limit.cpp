// The limit on locked memory: read it, set it, lock inside it, and see what happens beyond it.
// Run it as an ordinary user: the default limit is 8 MiB. As root no limit applies.
#include <resident/memory_limit.hpp>
#include <resident/page_lock.hpp>
#include <resident/size_literals.hpp>

#include <algorithm>
#include <cstdio>
#include <vector>

using namespace resident::literals;

namespace {

void print(const char* when, const resident::memory_limit& limit) {
    const auto kibibytes = [](std::size_t bytes) { return bytes / 1024; };
    if (limit.soft == resident::unlimited)
        std::printf("%-20s no limit, %zu KiB locked", when, kibibytes(limit.locked));
    else
        std::printf("%-20s limit %zu KiB, %zu KiB locked", when, kibibytes(limit.soft),
                    kibibytes(limit.locked));
    std::printf("%s\n", limit.exempt ? ", exempt (CAP_IPC_LOCK)" : "");
}

} // namespace

int main() {
    auto limit =
        resident::raise_memory_limit(); // the soft limit to the hard one: needs no privilege
    if (!limit)
        return 1;
    print("at the start:", *limit);

    // A program may lower its own soft limit, to find early what would not fit elsewhere.
    const std::size_t lower = std::min(limit->hard, std::size_t{1_MiB});
    if (const auto set = resident::set_memory_limit(lower); !set) {
        std::puts(set.error().what());
        return 1;
    }

    std::vector<char> samples(lower / 2);
    const auto fits = resident::page_lock::create(samples.data(), samples.size());
    if (!fits) {
        std::puts(fits.error().what());
        return 1;
    }
    print("half of it locked:", *resident::read_memory_limit());

    std::vector<char> too_many(limit->hard == resident::unlimited ? 2_MiB : limit->hard + 1_MiB);
    const auto refused = resident::page_lock::create(too_many.data(), too_many.size());
    // Where the hard limit allows it, the library raises the soft one as far as it needs.
    std::printf("%-20s %s\n",
                "more than the limit:", refused ? "locked" : to_string(refused.error().cause()));
    if (!refused)
        std::printf("\n%s\n", refused.error().remedy());
}
