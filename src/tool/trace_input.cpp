#include "tool/trace_input.hpp"

#include "tool/quantities.hpp"
#include "tool/usage_error.hpp"

#include <fmt/format.h>

#include <cstring>

namespace resident::tool {
namespace {

trace::reader open(const std::string& path) {
    auto opened = trace::reader::open(path);
    if (const auto* const why = std::get_if<trace::trace_error>(&opened))
        throw usage_error(fmt::format("{}: {}", path, why->message()));
    return std::get<trace::reader>(std::move(opened));
}

} // namespace

trace_events::trace_events(const std::string& path) : path_(path), reader_(open(path)) {}

void trace_events::check() const {
    if (reader_.error())
        throw usage_error(fmt::format("{}: {}", path_, reader_.error()->message()));
}

trace_input read_trace(const std::string& path, replay::chunk_visitor* visitor) {
    trace_events events(path);
    std::string failure;
    trace_input input{.path = path, .header = events.header(), .summary = {}};
    input.summary = replay::summarize(events, failure, visitor);
    events.check();
    if (!failure.empty())
        throw usage_error(fmt::format("{}: {}", path, failure));
    if (input.summary.calls() == 0) {
        throw usage_error(fmt::format(
            "{}: holds no allocation; record a program that makes some: resident record", path));
    }
    return input;
}

std::vector<std::string> notes_on(const trace_input& input) {
    std::vector<std::string> notes;
    const trace::trace_header& header = input.header;
    const replay::decoding_notes& decoded = input.summary.notes;
    if (!header.complete) {
        std::string why;
        if (header.stop_error != 0)
            why = fmt::format(" (recording stopped: {})",
                              std::strerror(static_cast<int>(header.stop_error)));
        notes.push_back(fmt::format("The trace is not complete{}: what the program did after its "
                                    "last event is not in these figures, and may need more.",
                                    why));
    }
    if (header.unrecorded_calls != 0) {
        notes.push_back(fmt::format("{} after recording stopped and are not in the trace.",
                                    counted(header.unrecorded_calls, "call") + " came"));
    }
    if (header.unrecorded_processes != 0) {
        notes.push_back(fmt::format("{} of the program left no trace; their memory is not in these "
                                    "figures.",
                                    header.unrecorded_processes == 1
                                        ? std::string("1 process")
                                        : grouped(header.unrecorded_processes) + " processes"));
    }
    if (decoded.unknown_frees != 0) {
        notes.push_back(fmt::format("{} of blocks from before the recording left out.",
                                    counted(decoded.unknown_frees, "free") +
                                        (decoded.unknown_frees == 1 ? " is" : " are")));
    }
    if (decoded.unknown_reallocations != 0) {
        notes.push_back(fmt::format("{} of blocks from before the recording taken for allocations.",
                                    counted(decoded.unknown_reallocations, "reallocation") +
                                        (decoded.unknown_reallocations == 1 ? " is" : " are")));
    }
    if (decoded.implied_frees != 0) {
        notes.push_back(
            fmt::format("{} without having been freed in the trace; the replay frees "
                        "the older block there.",
                        decoded.implied_frees == 1
                            ? std::string("1 address is given again")
                            : grouped(decoded.implied_frees) + " addresses are given again"));
    }
    return notes;
}

} // namespace resident::tool
