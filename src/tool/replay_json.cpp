#include "tool/replay_json.hpp"

#include "resident/version.hpp"
#include "tool/machine_json.hpp"
#include "tool/replay_report.hpp"
#include "tool/spread.hpp"

#include <fmt/format.h>

namespace resident::tool {
namespace {

using json = nlohmann::ordered_json;

json calls_part(const sampled_calls& calls) {
    return {
        {"calls", calls.calls}, {"median", calls.median}, {"p99", calls.p99}, {"max", calls.max}};
}

json instructions_part(const replay_figures& row) {
    if (!row.not_sampled.empty())
        return {{"missing", row.not_sampled}};
    if (row.allocations.calls + row.frees.calls == 0)
        return {{"missing", "not asked for"}};
    return {{"allocate", calls_part(row.allocations)}, {"free", calls_part(row.frees)}};
}

json refusal_part(const replay_figures& row) {
    return {{"event", row.refusal.event},
            {"size_bytes", row.refusal.size},
            {"alignment_bytes", row.refusal.alignment},
            {"live_bytes", row.live_at_refusal}};
}

json contestant_part(const replay_figures& row) {
    json part{{"name", row.who->name},
              {"description", row.who->description},
              {"control", row.who->is_control},
              {"verified", row.verified}};
    if (row.fits)
        part["fits"] = *row.fits;
    if (!row.broken.empty())
        part["broken"] = row.broken;
    if (row.refusal.what != replay::finding::kind::none)
        part["refusal"] = refusal_part(row);
    part["samples_ns_per_event"] = row.ns_per_event;
    if (row.measured()) {
        const tool::spread times = spread_of(row.ns_per_event);
        part["median_ns_per_event"] = times.median;
        part["quartiles_ns_per_event"] = {times.low, times.high};
        part["spread"] = row.spread();
        part["minor_faults"] = row.minor_faults();
        part["major_faults"] = row.major_faults();
        if (row.tells_peak()) {
            part["peak_held_bytes"] = row.memory_held;
            part["peak_held_is"] =
                row.arena_bytes != 0 ? "taken from its arena" : "growth of the resident set";
        }
        if (row.arena_bytes != 0) {
            part["arena_bytes"] = row.arena_bytes;
            part["page_kind"] = row.page_kind;
            part["arena_locked"] = row.arena_locked;
        }
    }
    if (!row.who->is_control)
        part["instructions"] = instructions_part(row);
    return part;
}

json options_part(const replay_result& result) {
    const replay_options& options = result.options;
    json part{{"repetitions", options.repetitions},
              {"samples", options.samples},
              {"locked", options.lock},
              {"verify", options.verify},
              {"capacity_bytes", result.capacity},
              {"capacity_from", result.capacity_from}};
    if (result.outgrown_capacity != 0)
        part["outgrown_capacity_bytes"] = result.outgrown_capacity;
    return part;
}

} // namespace

json trace_part(const trace_input& input) {
    const replay::trace_summary& summary = input.summary;
    return {{"file", input.path},
            {"command", input.header.command},
            {"complete", input.header.complete},
            {"events", summary.events},
            {"allocations", summary.allocations},
            {"frees", summary.frees},
            {"reallocations", summary.reallocations},
            {"threads", summary.threads},
            {"most_threads_at_once", summary.most_threads},
            {"peak_live_bytes", summary.peak_bytes},
            {"peak_live_blocks", summary.peak_blocks},
            {"peak_event", summary.peak_event},
            {"largest_request_bytes", summary.largest_request},
            {"bytes_never_freed", summary.bytes_left},
            {"blocks_never_freed", summary.blocks_left},
            {"unknown_frees", summary.notes.unknown_frees},
            {"unknown_reallocations", summary.notes.unknown_reallocations},
            {"implied_frees", summary.notes.implied_frees}};
}

std::string replay_json(const replay_result& result) {
    json contestants = json::array();
    json skipped = json::array();
    for (const replay_figures& row : result.contestants) {
        if (row.missing.empty()) {
            contestants.push_back(contestant_part(row));
        } else {
            skipped.push_back({{"name", row.who->name}, {"reason", row.missing}});
        }
    }
    const json report{{"resident", fmt::format("{}.{}.{}", RESIDENT_VERSION_MAJOR,
                                               RESIDENT_VERSION_MINOR, RESIDENT_VERSION_PATCH)},
                      {"started", result.started},
                      {"passed", result.holds()},
                      {"machine", machine_part(result.machine, result.noise)},
                      {"trace", trace_part(result.input)},
                      {"options", options_part(result)},
                      {"contestants", contestants},
                      {"skipped", skipped},
                      {"notes", notes_on(result)}};
    // A file name need not be UTF-8; JSON must be.
    return report.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

} // namespace resident::tool
