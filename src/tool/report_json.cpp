#include "tool/report_json.hpp"

#include "resident/version.hpp"
#include "tool/conclusion.hpp"
#include "tool/machine_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace resident::tool {
namespace {

using json = nlohmann::ordered_json;

json options_part(const demo_result& result) {
    const demo_options& options = result.options;
    return {{"duration_ns", options.duration.count()},
            {"interval_ns", options.interval.count()},
            {"priority", options.priority},
            {"input", options.input},
            {"capacity_bytes", options.capacity},
            {"pressure", options.pressure},
            {"rounds", result.rounds}};
}

json workload_part(const workload& load) {
    return {{"input", load.input},
            {"input_records", load.input_records},
            {"input_bytes", load.input_bytes},
            {"input_total_bytes", load.input_total_bytes},
            {"cut_records", load.cut_records},
            {"kept_records", load.kept_records},
            {"arena_capacity_bytes", load.arena_capacity}};
}

json pressure_part(const pressure_state& state) {
    if (!state.active)
        return {{"active", false}, {"reason", state.reason}};
    return {{"active", true},
            {"cgroup_limit_bytes", state.cgroup_limit},
            {"hog_bytes", state.hog_bytes},
            {"swap", state.swap}};
}

/// Pairs of a bucket's first nanosecond and its count, those that are not empty.
json histogram_part(const latency_histogram& work) {
    json pairs = json::array();
    for (std::size_t bucket = 0; bucket < latency_histogram::bucket_count; ++bucket) {
        if (work.count_in(bucket) == 0)
            continue;
        pairs.push_back({latency_histogram::begin_of(bucket), work.count_in(bucket)});
    }
    return pairs;
}

json contestant_part(const contest_result& row) {
    json part{{"name", row.who->name},
              {"description", row.who->description},
              {"control", row.who->is_control},
              {"minor_faults", row.minor_faults},
              {"major_faults", row.major_faults},
              {"work_ns",
               {{"p50", row.work.percentile(0.5)},
                {"p99", row.work.percentile(0.99)},
                {"p999", row.work.percentile(0.999)},
                {"max", row.work.largest()}}},
              {"periods", row.work.total()},
              {"missed_periods", row.missed_periods},
              {"locked_bytes", row.locked_bytes},
              {"real_time", row.real_time},
              {"harness_locked", row.harness_locked}};
    if (row.who->has_second_thread)
        part["passed_records"] = row.passed_records;
    if (!row.page_kind.empty())
        part["page_kind"] = row.page_kind;
    part["work_histogram_ns"] = histogram_part(row.work);
    return part;
}

} // namespace

std::string json_report(const demo_result& result) {
    json contestants = json::array();
    json skipped = json::array();
    for (const contest_result& row : result.contestants) {
        if (row.measured) {
            contestants.push_back(contestant_part(row));
        } else {
            skipped.push_back({{"name", row.who->name}, {"reason", row.reason}});
        }
    }
    const json report{{"resident", fmt::format("{}.{}.{}", RESIDENT_VERSION_MAJOR,
                                               RESIDENT_VERSION_MINOR, RESIDENT_VERSION_PATCH)},
                      {"started", result.started},
                      {"passed", result.holds()},
                      {"conclusion", conclude(result)},
                      {"machine", machine_part(result.machine)},
                      {"options", options_part(result)},
                      {"workload", workload_part(result.load)},
                      {"pressure", pressure_part(result.pressure)},
                      {"contestants", contestants},
                      {"skipped", skipped},
                      {"notes", notes_on(result)}};
    // A file name need not be UTF-8; JSON must be.
    return report.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

} // namespace resident::tool
