#include "support/part_file.hpp"

#include "os/harness/output_file.hpp"
#include "os/harness/periodic_clock.hpp"
#include "support/machine.hpp"
#include "tool/machine.hpp"
#include "tool/machine_json.hpp"
#include "tool/spread.hpp"
#include "tool/text_layout.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <stdexcept>

namespace resident::bench {

namespace {

using json = nlohmann::ordered_json;

const char* to_string(preference better) {
    switch (better) {
    case preference::less:
        return "less";
    case preference::more:
        return "more";
    case preference::neither:
        break;
    }
    return nullptr;
}

json json_of(const cell_record& cell) {
    json made{{"row", cell.row}, {"column", cell.column}};
    if (!cell.median) {
        made["text"] = cell.text;
        return made;
    }
    made["value"] = *cell.median;
    if (!cell.samples.empty()) {
        const tool::spread around = tool::spread_of(cell.samples);
        made["low"] = around.low;
        made["high"] = around.high;
        made["samples"] = cell.samples;
    }
    return made;
}

json json_of(const table_record& table) {
    json rows = json::array();
    json columns = json::array();
    json cells = json::array();
    const auto remember = [](json& names, const std::string& name) {
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            names.push_back(name);
        }
    };
    for (const cell_record& each : table.cells) {
        remember(rows, each.row);
        remember(columns, each.column);
        cells.push_back(json_of(each));
    }
    const char* const better = to_string(table.better);
    // A filter may have left the row out.
    const bool compares = std::find(rows.begin(), rows.end(), table.compared_to) != rows.end();
    return {{"key", table.key},
            {"title", table.title},
            {"bias", table.bias},
            {"unit", table.unit},
            {"better", better != nullptr ? json(better) : json{}},
            {"compared_to", compares ? json(table.compared_to) : json{}},
            {"chart", table.has_bars ? "bars" : "none"},
            {"rows", rows},
            {"columns", columns},
            {"cells", cells}};
}

json json_of(const series_record& series) {
    json buckets = json::array();
    for (const value_bucket& each : series.buckets) {
        buckets.push_back(json::array({each.begin, each.end, each.count}));
    }
    json made{{"contestant", series.contestant},
              {"total", series.total},
              {"max", series.largest},
              {"buckets", buckets}};
    if (series.minor_faults) {
        made["minor_faults"] = *series.minor_faults;
    }
    if (series.major_faults) {
        made["major_faults"] = *series.major_faults;
    }
    return made;
}

json json_of(const curve_record& curve) {
    json series = json::array();
    for (const series_record& each : curve.series) {
        series.push_back(json_of(each));
    }
    return {{"key", curve.key},   {"title", curve.title},   {"bias", curve.bias},
            {"unit", curve.unit}, {"charts", curve.charts}, {"series", series}};
}

template <class Records>
json array_of(const Records& records) {
    json made = json::array();
    for (const auto& each : records) {
        made.push_back(json_of(each));
    }
    return made;
}

std::string told_reason(const refused_contestant& refused) {
    return (refused.is_broken ? "broken: " : "") + refused.reason;
}

json pairs(const std::vector<std::pair<std::string, std::string>>& named, const char* second) {
    json made = json::array();
    for (const auto& [name, text] : named) {
        made.push_back({{"name", name}, {second, text}});
    }
    return made;
}

} // namespace

std::vector<value_bucket> buckets_of(const tool::latency_histogram& histogram) {
    using tool::latency_histogram;
    std::vector<value_bucket> made;
    for (std::size_t bucket = 0; bucket != latency_histogram::bucket_count; ++bucket) {
        if (const std::uint64_t count = histogram.count_in(bucket); count != 0) {
            made.push_back({latency_histogram::begin_of(bucket),
                            latency_histogram::begin_of(bucket + 1), count});
        }
    }
    return made;
}

part_writer::part_writer() : began_(tool::timestamp()), began_at_(os::monotonic_nanoseconds()) {}

void part_writer::write(const part_record& part, const std::string& path) const {
    const double seconds = static_cast<double>(os::monotonic_nanoseconds() - began_at_) / 1e9;
    json made{{"schema", "resident-bench-part/1"},
              {"part", part.part},
              {"title", part.title},
              {"command", "./dev bench " + part.program + (part.full ? " --full" : "")},
              {"mode", part.full ? "full" : "quick"},
              {"began", began_},
              {"seconds", seconds},
              {"status", part.not_measured.empty() ? "measured" : "not measured"}};
    if (!part.not_measured.empty()) {
        made["reason"] = part.not_measured;
    }
    made["machine"] = tool::machine_part(describe_this_machine(), tool::clock_noise());
    made["contestants"] = pairs(part.contestants, "what");
    auto missing = missing_contestants();
    for (const refused_contestant& each : part.refused) {
        missing.emplace_back(each.name, told_reason(each));
    }
    made["missing"] = pairs(missing, "reason");
    made["notes"] = part.notes;
    made["tables"] = array_of(part.tables);
    made["curves"] = array_of(part.curves);
    const std::string text = made.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
    if (std::string reason; !os::output_file::write(path, text, reason)) {
        throw std::runtime_error(reason);
    }
}

std::string note_of(const refused_contestant& refused) {
    return tool::wrap("* ", refused.name + (refused.is_broken ? " is " : " is not measured: ") +
                                told_reason(refused));
}

int part_writer::finish(const part_record& part, const run_options& options) const {
    int status = 0;
    for (const refused_contestant& each : part.refused) {
        if (each.is_broken) {
            std::fputs(note_of(each).c_str(), stderr);
            status = 1;
        }
    }
    if (options.json_file.empty()) {
        return status;
    }
    try {
        write(part, options.json_file);
        return status;
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "%s\n", failure.what());
        return 1;
    }
}

} // namespace resident::bench
