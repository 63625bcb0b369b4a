#include "support/stepped_calls.hpp"

#include "support/in_child.hpp"
#include "support/machine.hpp"
#include "tool/text_layout.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace resident::bench {

namespace {

/// A bucket for each number of instructions: nothing is rounded.
series_record series_of(const std::string& contestant, const os::call_counts& calls) {
    std::map<std::uint64_t, std::uint64_t> counts;
    for (const std::uint32_t each : calls.instructions) {
        ++counts[each];
    }
    series_record series{.contestant = contestant, .total = calls.calls(), .largest = calls.max()};
    for (const auto& [value, count] : counts) {
        series.buckets.push_back({value, value + 1, count});
    }
    return series;
}

const char* key_of(const std::string& label) {
    static const std::map<std::string, const char*> keys{{"allocate", "warm-allocate"},
                                                         {"free", "warm-free"},
                                                         {"allocate, fresh", "fresh-allocate"},
                                                         {"free, fresh", "fresh-free"}};
    return keys.at(label);
}

counted_result count_one(const counted_contestant& contestant, const stepped_amount& amount) {
    counted_result result;
    if (contestant.verify) {
        const verdict found = contestant.verify();
        result.refused = found.reason();
        result.is_broken = found.is_broken();
    }
    if (result.refused.empty()) {
        result.counts = contestant.count(amount);
        result.refused = result.counts.refused + result.counts.failure;
        result.is_broken = result.counts.crashed;
    }
    return result;
}

/// The way from the process that counts to this one.
std::string text_of(const counted_result& result) {
    nlohmann::json labels = nlohmann::json::object();
    for (const os::call_counts& each : result.counts.labels) {
        labels[each.label] = {{"worst_call", each.worst_call}, {"calls", each.instructions}};
    }
    return nlohmann::json{
        {"refused", result.refused}, {"broken", result.is_broken}, {"labels", labels}}
        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

counted_result result_of(const std::string& text) {
    const nlohmann::json read = nlohmann::json::parse(text);
    counted_result result{.refused = read.at("refused"), .is_broken = read.at("broken")};
    for (const auto& [label, counted] : read.at("labels").items()) {
        result.counts.labels.push_back({.label = label,
                                        .instructions = counted.at("calls"),
                                        .worst_call = counted.at("worst_call")});
    }
    return result;
}

constexpr const char* bias = "instructions are counted, not what they wait for; a system call is "
                             "one, although it takes as long as hundreds";

struct column {
    const char* name;
    std::uint32_t (*of)(const os::call_counts&);
};
constexpr std::array<column, 3> columns{{
    {"median", [](const os::call_counts& calls) { return calls.median(); }},
    {"p99", [](const os::call_counts& calls) { return calls.p99(); }},
    {"max", [](const os::call_counts& calls) { return calls.max(); }},
}};

} // namespace

std::vector<counted_result> count_all(const std::vector<counted_contestant>& contestants,
                                      const stepped_amount& amount) {
    std::vector<std::function<std::string()>> each_in_its_process;
    for (std::size_t index = 0; index != contestants.size(); ++index) {
        each_in_its_process.emplace_back([&contestant = contestants[index], &amount, index] {
            pin_in_turn(index); // who steps and who is stepped take turns
            return text_of(count_one(contestant, amount));
        });
    }
    const auto texts = text_from_children(each_in_its_process);
    std::vector<counted_result> results;
    for (std::size_t index = 0; index != contestants.size(); ++index) {
        counted_result& result = results.emplace_back(
            texts[index].text ? result_of(*texts[index].text) : counted_result{});
        result.name = contestants[index].name;
        result.what = contestants[index].what;
        if (!texts[index].text) {
            result.refused = texts[index].failure;
            result.is_broken = texts[index].crashed;
        }
    }
    return results;
}

part_record bounds_part(const std::vector<counted_result>& results) {
    part_record part{.part = "bounds",
                     .title = "Bounds: instructions of a call, counted exactly",
                     .program = "bounds"};
    table_record table{.key = "instructions",
                       .title = "Instructions of a call, counted by single-stepping",
                       .bias = bias,
                       .unit = "instructions"};
    for (const counted_result& each : results) {
        part.contestants.emplace_back(each.name, each.what);
        if (!each.refused.empty()) {
            part.refused.push_back({each.name, each.refused, each.is_broken});
        }
        for (const char* const label : counted_labels) {
            for (const column& shown : columns) {
                cell_record& cell = table.cells.emplace_back(cell_record{
                    .row = each.name, .column = fmt::format("{}, {}", label, shown.name)});
                if (const os::call_counts* const calls = each.counts.find(label)) {
                    cell.median = shown.of(*calls);
                } else {
                    cell.text = each.refused.empty() ? left_to_full : "not counted";
                }
            }
        }
    }
    part.tables.push_back(std::move(table));
    for (const char* const label : counted_labels) {
        curve_record curve{.key = key_of(label),
                           .title = label,
                           .bias = bias,
                           .unit = "instructions",
                           .charts = {"cumulative"}};
        for (const counted_result& each : results) {
            if (const os::call_counts* const calls = each.counts.find(label)) {
                curve.series.push_back(series_of(each.name, *calls));
            }
        }
        part.curves.push_back(std::move(curve));
    }
    // Where nothing can be counted, it is for the same reason everywhere.
    const auto stepped = [](const counted_result& each) { return each.refused.empty(); };
    if (!results.empty() && std::none_of(results.begin(), results.end(), stepped)) {
        part.not_measured = results.front().refused;
        part.tables.clear();
        part.curves.clear();
    }
    return part;
}

std::string bounds_text(const std::vector<counted_result>& results) {
    std::string text = fmt::format("Instructions of a call: median/99 %/max\n{:12}", "");
    for (const char* const label : counted_labels) {
        text += fmt::format("{:>17}", label);
    }
    text += '\n';
    for (const counted_result& each : results) {
        if (each.refused.empty()) {
            text += fmt::format("{:12}", each.name);
            for (const char* const label : counted_labels) {
                const os::call_counts* const calls = each.counts.find(label);
                text += fmt::format("{:>17}", calls == nullptr
                                                  ? left_to_full
                                                  : fmt::format("{}/{}/{}", calls->median(),
                                                                calls->p99(), calls->max()));
            }
            text += '\n';
        }
    }
    for (const counted_result& each : results) {
        if (!each.refused.empty()) {
            text += tool::wrap("* ", fmt::format("Not counted: {}: {}", each.name, each.refused));
        }
    }
    return text;
}

} // namespace resident::bench
