/// The trace file that a command is about.
#pragma once

#include "replay/decoder.hpp"
#include "replay/summary.hpp"
#include "trace/reader.hpp"

#include <string>
#include <vector>

namespace resident::tool {

/// The events of a file, once.
class trace_events final : public replay::event_source {
public:
    /// Throws: usage_error if and only if the file cannot be read or is no trace.
    explicit trace_events(const std::string& path);

    bool next(trace::event& event) override { return reader_.next(event); }
    [[nodiscard]] const trace::trace_header& header() const noexcept { return reader_.header(); }
    /// Throws: usage_error, with the offset, if the reader stopped because of one.
    void check() const;

private:
    std::string path_;
    trace::reader reader_;
};

/// A file that has been read to its end, so that what is replayed is known to be sound.
struct trace_input {
    std::string path;
    trace::trace_header header;
    replay::trace_summary summary;
};

/// Effects: reads and decodes all of it, showing each chunk to `visitor`, if there is one.
/// Throws: usage_error if it cannot be read or decoded (with the offset or event), or has no call.
[[nodiscard]] trace_input read_trace(const std::string& path,
                                     replay::chunk_visitor* visitor = nullptr);

/// What a reader of figures from this trace has to know: what was not recorded, and what is made
/// of it. One sentence each.
[[nodiscard]] std::vector<std::string> notes_on(const trace_input& input);

} // namespace resident::tool
