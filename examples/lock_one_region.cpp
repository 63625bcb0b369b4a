// Locking what one has already: a lookup table keeps its place in RAM while a page_lock lives.
// Locks are counted per page, so that two objects on one page do not unlock each other.
#include <resident/memory_limit.hpp>
#include <resident/page_lock.hpp>

#include <array>
#include <cstdio>
#include <span>

namespace {

std::array<float, 16384> sine_table; // 64 KiB of the program's own variables

} // namespace

int main() {
    const resident::page_lock whole{std::span(sine_table)};
    std::printf("the table's bytes:     %zu\n", sizeof sine_table);
    std::printf("whole pages locked:    %s\n", whole.size() >= sizeof sine_table ? "yes" : "no");

    {
        // A second owner of some of the pages. The kernel alone would unlock them at its end.
        const resident::page_lock part{sine_table.data(), 4096};
        std::printf("second lock on a part: %s\n", part.locked() ? "yes" : "no");
    }
    std::printf("still locked after it: %s\n", whole.locked() ? "yes" : "no");

    // Without exceptions: create() returns a result. Memory that is not there cannot be locked,
    // and the error says so; nothing is left locked half way.
    const auto refused = resident::page_lock::create(nullptr, 4096);
    std::printf("lock of no memory:     %s\n",
                refused ? "yes" : to_string(refused.error().cause()));
}
