/// How much of a fixed 64 MiB an allocator can give to its user: the histories of histories.hpp.
/// Not a matter of time: exact and repeatable, so this is a table and no Google Benchmark program.
/// Each history runs in a process of its own, on memory never used before.
#include "contestants/confined.hpp"
#include "histories.hpp"
#include "support/in_child.hpp"
#include "support/machine.hpp"

#include <array>
#include <cstdio>
#include <cstring>
#include <memory>

namespace {

using namespace resident::bench;

struct share {
    double percent = 0;
    bool failed = false;
};

template <class Heap>
share play(std::size_t history) {
    const auto heap = std::make_unique<Heap>();
    const history_result result = play_history(history, *heap);
    return {100.0 * static_cast<double>(result.alive) / static_cast<double>(heap->total()),
            result.failed};
}

struct contestant_column {
    const char* upper; ///< the head, in two lines
    const char* lower;
    share (*play)(std::size_t history);
};

template <class Heap>
constexpr contestant_column column(const char* upper, const char* lower) {
    if constexpr (std::is_same_v<Heap, missing>) {
        return {upper, lower, nullptr};
    } else {
        return {upper, lower, play<Heap>};
    }
}

constexpr auto columns = std::to_array<contestant_column>({
    column<confined_resident>("", "resident"),
    column<confined_reference>("", "ref"),
    column<confined_mimalloc>("mi-", "malloc"),
    column<confined_best_fit>("Boost", "rbtree"),
    column<confined_std_pool<monotonic_upstream>>("std on", "buffer"),
    column<confined_std_pool<arena_upstream>>("std on", "arena"),
    column<confined_arena_alone>("arena", "alone"),
});

void print_heads() {
    std::printf("Requested bytes alive at the first refusal, %% of 64 MiB;\n"
                "metadata is included in the 100 %%\n");
    for (const auto head : {&contestant_column::upper, &contestant_column::lower}) {
        std::printf("%-24s", "");
        for (const contestant_column& each : columns) {
            std::printf("%8s", each.*head);
        }
        std::printf("\n");
    }
}

void print_cell(const contestant_column& contestant, std::size_t history) {
    if (contestant.play == nullptr) {
        std::printf("%8s", "-");
        return;
    }
    const auto result = in_child([&] { return contestant.play(history); });
    if (!result) {
        std::printf("%8s", "crashes");
    } else if (result->failed) {
        std::printf("%8s", "fails");
    } else {
        std::printf("%8.1f", result->percent);
    }
    std::fflush(stdout);
}

} // namespace

int main() {
    verify_contestants();
    name_missing_contestants();
    print_heads();
    for (std::size_t history = 0; history != history_names.size(); ++history) {
        const std::string_view name = history_names[history].name;
        std::printf("%-24.*s", static_cast<int>(name.size()), name.data());
        std::fflush(stdout);
        for (const contestant_column& each : columns) {
            print_cell(each, history);
        }
        std::printf("\n");
    }
    return 0;
}
