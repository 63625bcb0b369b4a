/// How much of a fixed 64 MiB an allocator can give to its user: the histories of histories.hpp.
/// Not a matter of time: exact and repeatable, so this is a table and no Google Benchmark program.
/// Each history runs in a process of its own, on memory never used before.
#include "contestants/confined.hpp"
#include "histories.hpp"
#include "support/in_child.hpp"
#include "support/machine.hpp"
#include "support/part_file.hpp"
#include "support/run_options.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

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
    const char* name; ///< in the report
    const char* what;
    share (*play)(std::size_t history);
    bool is_slow = false; ///< ten times as slow as the others: its long histories wait for --full
};

template <class Heap>
constexpr contestant_column column(const char* upper, const char* lower, const char* name,
                                   const char* what) {
    if constexpr (std::is_same_v<Heap, missing>) {
        return {upper, lower, name, what, nullptr};
    } else {
        return {upper, lower, name, what, play<Heap>, requires {Heap::is_slow;
    }
};
} // namespace
}

constexpr auto columns = std::to_array<contestant_column>({
    column<confined_resident>("resi-", "dent", "resident",
                              "resident::unsynchronized_pool_resource on a locked arena"),
    column<confined_reference>("", "ref", "ref", "a free list per 16 bytes"),
    column<confined_jemalloc>("je on", "arena", "je on arena",
                              "resident::jemalloc_resource on a locked arena"),
    column<confined_mimalloc>("mi-", "malloc", "mimalloc", "a heap in an exclusive arena"),
    column<confined_best_fit>("best", "fit", "best fit", "Boost.Interprocess' rbtree_best_fit"),
    column<confined_std_pool<monotonic_upstream>>(
        "std on", "buffer", "std buffer",
        "std::pmr::unsynchronized_pool_resource on a monotonic_buffer_resource"),
    column<confined_std_pool<arena_upstream>>("std on", "arena", "std arena",
                                              "the same on resident::arena"),
    column<confined_arena_alone>("arena", "alone", "arena alone",
                                 "resident::arena itself: every block a run of granules"),
});

void print_heads() {
    fmt::print("Requested bytes alive at the first refusal, % of 64 MiB;\n"
               "metadata is included in the 100 %\n");
    for (const auto head : {&contestant_column::upper, &contestant_column::lower}) {
        fmt::print("{:24}", "");
        for (const contestant_column& each : columns) {
            fmt::print("{:>7}", each.*head);
        }
        fmt::print("\n");
    }
}

cell_record cell_of(const contestant_column& contestant, std::string_view history,
                    const child_result& played) {
    cell_record cell{.row = contestant.name, .column = std::string{history}};
    const auto result = value_of<share>(played.text);
    if (contestant.play == nullptr) {
        cell.text = "-";
    } else if (!result) {
        cell.text = played.crashed ? "crash" : "lost";
    } else if (result->failed) {
        cell.text = "fails";
    } else {
        cell.median = result->percent;
    }
    return cell;
}

bool waits_for_full(const contestant_column& contestant, std::size_t history) {
    return contestant.is_slow && history_names[history].is_long;
}

/// Plays a history with every contestant, each in a process of its own; shows a line. Who does not
/// come to an end of it is refused in the part, with the reason.
void play_with_all(std::size_t history, bool full, part_record& part) {
    const std::string_view name = history_names[history].name;
    fmt::print("{:24}", name);
    std::vector<std::function<std::string()>> plays;
    for (const contestant_column& each : columns) {
        plays.emplace_back([&each, history, full] {
            const bool is_played = each.play != nullptr && (full || !waits_for_full(each, history));
            return is_played ? bytes_of(each.play(history)) : std::string{};
        });
    }
    const auto played = text_from_children(plays);
    for (std::size_t index = 0; index != columns.size(); ++index) {
        cell_record& cell =
            part.tables.back().cells.emplace_back(cell_of(columns[index], name, played[index]));
        if (!played[index].text) {
            part.refused.push_back({columns[index].name,
                                    fmt::format("{} ({})", played[index].failure, name),
                                    played[index].crashed});
        }
        if (!full && waits_for_full(columns[index], history)) {
            cell.text = left_to_full;
        }
        fmt::print("{:>7}", cell.median ? fmt::format("{:.1f}", *cell.median) : cell.text);
    }
    fmt::print("\n");
    std::fflush(stdout);
}

part_record play_all(bool full) {
    part_record part{.part = "capacity",
                     .title = "Capacity: how much of a fixed amount can be used",
                     .program = "capacity",
                     .full = full,
                     .notes = {"Exact, and the same in every run"}};
    if (!full) {
        part.notes.emplace_back("--full: of histories of ten million calls, the quick mode leaves "
                                "out those of contestants that take very long for them");
    }
    for (const contestant_column& each : columns) {
        part.contestants.emplace_back(each.name, each.what);
    }
    part.tables.push_back(
        {.key = "capacity",
         .title = "Requested bytes alive at the first refusal; metadata is in the 100 %",
         .bias = "the histories are of few sizes and many blocks; slabs suit those of "
                 "one size and lose where a tenth of many sizes stays",
         .unit = "% of 64 MiB",
         .better = preference::more});
    print_heads();
    for (std::size_t history = 0; history != history_names.size(); ++history) {
        play_with_all(history, full, part);
    }
    return part;
}

} // namespace

int main(int argc, char** argv) {
    const part_writer writer;
    const run_options options =
        parse_command_line(argc, argv, "How much of a fixed 64 MiB can be given to its user");
    verify_contestants();
    name_missing_contestants();
    return writer.finish(play_all(options.full), options);
}
