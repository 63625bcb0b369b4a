#include "support/latency_contest.hpp"

#include "support/in_child.hpp"
#include "support/percentile_text.hpp"
#include "tool/spread.hpp"
#include "tool/text_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace resident::bench {

namespace {

struct call_description {
    timed_call call;
    const char* key;
    const char* title;
    const char* bias;
};

constexpr std::array<call_description, timed_call_count> descriptions{{
    {timed_call::fresh_allocate, "fresh-allocate", "allocate, fresh: the first 10 000 calls",
     "memory that is locked ahead; a malloc asks the kernel, and its pages come with the faults"},
    {timed_call::fresh_free, "fresh-free", "free, fresh: the first 10 000 calls, in random order",
     "whatever is postponed to later: nothing is alive in the end, and nothing is asked for again"},
    {timed_call::warm_allocate, "warm-allocate",
     "allocate, warm: random ones of 10 000 blocks are replaced",
     "every block is equally likely to be replaced, and the sizes do not change with time"},
    {timed_call::warm_free, "warm-free", "free, warm: random ones of 10 000 blocks are replaced",
     "an allocator that leaves to allocate what others do here; the block is seldom in the cache"},
}};

const char* const share_names[] = {"50 %", "99 %", "99.9 %", "99.99 %"};
static_assert(std::size(share_names) == shares_of_a_round.size());

void add_round(timed_result& result, const call_times& round) {
    for (std::size_t call = 0; call != timed_call_count; ++call) {
        const tool::latency_histogram& histogram = round.histograms[call];
        round_summary& summary = result.rounds[call].emplace_back();
        for (std::size_t share = 0; share != shares_of_a_round.size(); ++share) {
            summary.nanoseconds[share] = histogram.percentile(shares_of_a_round[share]);
        }
        summary.largest = histogram.largest();
        summary.faulted = round.faults_of[call];
        result.times.histograms[call].merge(histogram);
        result.times.faults_of[call].minor += round.faults_of[call].minor;
        result.times.faults_of[call].major += round.faults_of[call].major;
    }
    result.times.realtime_error = round.realtime_error;
    result.times.records_locked = round.records_locked;
}

void take_turn(const timed_contestant& contestant, const call_clock& clock,
               const timed_calls_amount& amount, timed_result& result) {
    const auto said = text_from_child([&]() -> std::string {
        try {
            return contestant.measure(clock, amount);
        } catch (const std::exception& thrown) {
            return std::string{"!it threw: "} + thrown.what();
        }
    });
    if (!said.text) {
        result.refused = said.failure;
        result.is_broken = said.crashed;
    } else if (said.text->starts_with('!') && said.text->size() != sizeof(call_times)) {
        result.refused = said.text->substr(1);
    } else if (const auto round =
                   std::make_unique<std::optional<call_times>>(value_of<call_times>(said.text));
               *round) {
        add_round(result, **round);
    } else {
        result.refused = "its process did not tell what it measured";
    }
}

std::vector<double> samples_of(const std::vector<round_summary>& rounds, std::size_t share) {
    std::vector<double> samples;
    for (const round_summary& each : rounds) {
        samples.push_back(static_cast<double>(
            share == shares_of_a_round.size() ? each.largest : each.nanoseconds[share]));
    }
    return samples;
}

table_record percentile_table(const std::vector<timed_result>& results,
                              const call_description& about) {
    table_record table{.key = std::string{about.key} + "-percentiles",
                       .title = about.title,
                       .bias = about.bias,
                       .unit = "ns"};
    const auto index = static_cast<std::size_t>(about.call);
    for (const timed_result& each : results) {
        for (std::size_t share = 0; share <= shares_of_a_round.size(); ++share) {
            const bool is_largest = share == shares_of_a_round.size();
            cell_record& cell = table.cells.emplace_back(
                cell_record{.row = each.name, .column = is_largest ? "max" : share_names[share]});
            if (!each.refused.empty()) {
                cell.text = "not measured";
                continue;
            }
            const tool::latency_histogram& calls = each.times.of(about.call);
            cell.median = static_cast<double>(
                is_largest ? calls.largest() : calls.percentile(shares_of_a_round[share]));
            cell.samples = samples_of(each.rounds[index], share);
        }
    }
    return table;
}

table_record fault_table(const std::vector<timed_result>& results) {
    table_record table{.key = "faults",
                       .title = "Page faults of a round, while these calls and the first writes to "
                                "their blocks went on",
                       .bias = "memory that is there before: an arena, or malloc's heap after "
                               "mlockall",
                       .unit = "faults"};
    const auto add = [&](const timed_result& of, timed_call call, const char* column,
                         std::uint64_t faults::*kind) {
        cell_record& cell = table.cells.emplace_back(cell_record{.row = of.name, .column = column});
        if (!of.refused.empty()) {
            cell.text = "not measured";
            return;
        }
        for (const round_summary& each : of.rounds[static_cast<std::size_t>(call)]) {
            cell.samples.push_back(static_cast<double>(each.faulted.*kind));
        }
        cell.median = tool::spread_of(cell.samples).median;
    };
    for (const timed_result& each : results) {
        add(each, timed_call::fresh_allocate, "allocate, fresh, minor", &faults::minor);
        add(each, timed_call::fresh_free, "free, fresh, minor", &faults::minor);
        add(each, timed_call::warm_allocate, "warm, minor", &faults::minor);
        add(each, timed_call::fresh_allocate, "allocate, fresh, major", &faults::major);
        add(each, timed_call::warm_allocate, "warm, major", &faults::major);
    }
    return table;
}

curve_record curve_of(const std::vector<timed_result>& results, const call_description& about) {
    curve_record curve{.key = about.key,
                       .title = about.title,
                       .bias = about.bias,
                       .unit = "ns",
                       .charts = {"steps", "percentiles"}};
    for (const timed_result& each : results) {
        if (each.refused.empty()) {
            const tool::latency_histogram& calls = each.times.of(about.call);
            curve.series.push_back({.contestant = each.name,
                                    .buckets = buckets_of(calls),
                                    .total = calls.total(),
                                    .largest = calls.largest(),
                                    .minor_faults = each.times.faulted(about.call).minor,
                                    .major_faults = each.times.faulted(about.call).major});
        }
    }
    return curve;
}

/// Of what was measured at all, one: they are all alike.
const timed_result* any_measured(const std::vector<timed_result>& results) {
    const auto found = std::find_if(results.begin(), results.end(),
                                    [](const timed_result& each) { return each.refused.empty(); });
    return found == results.end() ? nullptr : &*found;
}

std::string scheduling(const timed_result& of) {
    return of.times.realtime_error == 0
               ? "SCHED_FIFO, priority 80"
               : fmt::format("normal scheduling (SCHED_FIFO is refused: {}; see ulimit -r)",
                             std::strerror(of.times.realtime_error));
}

} // namespace

std::vector<timed_result> time_in_rounds(const std::vector<timed_contestant>& contestants,
                                         const timed_calls_amount& amount, int rounds,
                                         const std::function<void(const std::string&)>& progress) {
    const auto tell = [&](const std::string& what) {
        if (progress) {
            progress(what);
        }
    };
    std::vector<timed_result> results;
    for (const timed_contestant& each : contestants) {
        timed_result& result = results.emplace_back();
        result.name = each.name;
        result.what = each.what;
        if (each.verify) {
            tell("verifying " + each.name);
            const verdict found = each.verify();
            result.refused = found.reason();
            result.is_broken = found.is_broken();
            result.return_unknown = !found.bytes_kept.has_value();
        }
    }
    const call_clock clock;
    for (int round = 0; round != rounds; ++round) {
        for (std::size_t turn = 0; turn != contestants.size(); ++turn) {
            const std::size_t index = (turn + static_cast<std::size_t>(round)) % contestants.size();
            if (results[index].refused.empty()) {
                tell(fmt::format("round {} of {}, {}", round + 1, rounds, contestants[index].name));
                take_turn(contestants[index], clock, amount, results[index]);
            }
        }
    }
    return results;
}

part_record latency_part(const std::vector<timed_result>& results) {
    part_record part{.part = "latency", .title = "Latency: every call timed", .program = "latency"};
    std::string unknown;
    for (const timed_result& each : results) {
        part.contestants.emplace_back(each.name, each.what);
        if (!each.refused.empty()) {
            part.refused.push_back({each.name, each.refused, each.is_broken});
        } else if (each.return_unknown) {
            unknown += (unknown.empty() ? "" : ", ") + each.name;
        }
    }
    const timed_result* const measured = any_measured(results);
    if (measured == nullptr) {
        part.not_measured = "no contestant could be measured";
        return part;
    }
    part.notes = {
        "Scheduling: " + scheduling(*measured),
        std::string{"The records lie in memory that is "} +
            (measured->times.records_locked ? "locked" : "NOT locked (see ulimit -l)"),
        fmt::format("{} rounds, each contestant in a process of its own in each; the percentiles "
                    "are those of all rounds together, the spread is that of the rounds'",
                    measured->rounds[0].size()),
        "A time contains that of reading the clock: compare with the row \"no call\"",
        "The code of the program and its libraries is locked ahead, so that it costs no fault",
    };
    if (!unknown.empty()) {
        part.notes.push_back("Whether everything was returned, these do not tell: " + unknown);
    }
    for (const call_description& each : descriptions) {
        part.tables.push_back(percentile_table(results, each));
        part.curves.push_back(curve_of(results, each));
    }
    part.tables.push_back(fault_table(results));
    return part;
}

std::string latency_text(const std::vector<timed_result>& results) {
    std::string text;
    if (const timed_result* const measured = any_measured(results)) {
        text += tool::wrap(
            "", fmt::format("{}; {} rounds; records {}", scheduling(*measured),
                            measured->rounds[0].size(),
                            measured->times.records_locked ? "locked" : "NOT LOCKED (ulimit -l)"));
        text += '\n';
    }
    for (const call_description& about : descriptions) {
        text += fmt::format("{}, ns\n{:12}", about.title, "");
        for (const char* const name : share_names) {
            text += fmt::format("{:>10}", name);
        }
        text += fmt::format("{:>10}{:>18}\n", "max", "page faults");
        for (const timed_result& each : results) {
            if (!each.refused.empty()) {
                continue;
            }
            const tool::latency_histogram& calls = each.times.of(about.call);
            text += fmt::format("{:12}", each.name);
            for (const double share : shares_of_a_round) {
                text += fmt::format("{:10}", calls.percentile(share));
            }
            const faults& faulted = each.times.faulted(about.call);
            text += fmt::format("{:10}{:>18}\n", calls.largest(),
                                fmt::format("{}/{}", faulted.minor, faulted.major));
        }
        text += '\n';
    }
    for (const timed_result& each : results) {
        if (!each.refused.empty()) {
            text += tool::wrap("* ", fmt::format("Not measured: {}: {}", each.name, each.refused));
        }
    }
    return text;
}

std::string write_percentiles(const std::vector<timed_result>& results, const std::string& folder) {
    for (const timed_result& each : results) {
        for (const call_description& about : descriptions) {
            if (each.refused.empty()) {
                const std::string reason =
                    write_percentiles(folder, about.key, each.name, each.times.of(about.call));
                if (!reason.empty()) {
                    return reason;
                }
            }
        }
    }
    return {};
}

} // namespace resident::bench
