#include "tool/recorded_traces.hpp"

#include "os/harness/file_use.hpp"
#include "tool/quantities.hpp"
#include "trace/live_blocks.hpp"
#include "trace/reader.hpp"
#include "trace/seal.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

namespace resident::tool {
namespace {

namespace fs = std::filesystem;

bool is_numbers(std::string_view text) {
    return text.size() > 1 && text.front() == '.' && text.back() != '.' &&
           text.find_first_not_of(".0123456789") == std::string_view::npos;
}

/// FILE.<process> and FILE.<process>.<image>, whatever session they are of.
std::vector<std::string> names_beside(const fs::path& file) {
    std::vector<std::string> names;
    const std::string base = file.filename().string();
    std::error_code failure;
    for (const auto& entry : fs::directory_iterator(file.parent_path(), failure)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with(base) && is_numbers(std::string_view(name).substr(base.size())))
            names.push_back(entry.path().string());
    }
    return names;
}

/// What the file says of itself, if it is one of the session's.
std::optional<recorded_trace> described(const std::string& path, std::uint64_t session) {
    auto opened = trace::reader::open(path);
    const auto* const read = std::get_if<0>(&opened);
    if (read == nullptr || read->header().session != session)
        return std::nullopt;
    recorded_trace found;
    found.path = path;
    found.header = read->header();
    return found;
}

/// Waits for who is just ending, `patience` times 10 ms in all.
os::file_use use_after_waiting(const recorded_trace& trace, int& patience) {
    os::file_use use = os::use_of(trace.path, trace.header.process);
    for (; patience != 0 && use != os::file_use::none; --patience) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        use = os::use_of(trace.path, trace.header.process);
    }
    return use;
}

struct known_end {
    trace::process_end how = trace::process_end::unknown;
    std::uint32_t value = 0;
};

/// A process that goes on as another program keeps its id and its parent; both may come again, but
/// then it ended in between, which most processes tell: seal() believes them more.
bool is_image_of_same_process(const recorded_trace& a, const recorded_trace& b) {
    return a.header.process == b.header.process &&
           a.header.parent_process == b.header.parent_process;
}

known_end end_of(const std::vector<recorded_trace>& traces, std::size_t at,
                 const os::foreground_end& started) {
    for (std::size_t later = at + 1; later < traces.size(); ++later)
        if (is_image_of_same_process(traces[at], traces[later]))
            return {.how = trace::process_end::replaced};
    if (traces[at].header.process != started.process)
        return {};
    if (started.how.signal != 0)
        return {trace::process_end::signalled, static_cast<std::uint32_t>(started.how.signal)};
    return {trace::process_end::exited, static_cast<std::uint32_t>(started.how.exit_code)};
}

/// Not FILE, of the first process that allocates: nobody had anything to leave to it. Nor what a
/// process has gone on as.
bool may_inherit(const std::vector<recorded_trace>& traces, std::size_t at,
                 const std::string& file) {
    if (traces[at].path == file)
        return false;
    for (std::size_t earlier = 0; earlier < at; ++earlier)
        if (is_image_of_same_process(traces[earlier], traces[at]) &&
            traces[earlier].header.end == trace::process_end::replaced)
            return false;
    return true;
}

void seal_and_read(recorded_trace& found, const known_end& end, trace::unused_space unused) {
    if (const auto wrong = trace::seal(found.path, end.how, end.value, unused)) {
        found.failure = wrong->message();
        return;
    }
    if (const int error_number = os::flush_file(found.path); error_number != 0) {
        found.failure = std::string("not all of it is on the disk: ") + std::strerror(error_number);
        return;
    }
    auto opened = trace::reader::open(found.path);
    if (const auto* wrong = std::get_if<1>(&opened)) {
        found.failure = wrong->message();
        return;
    }
    auto& reader = std::get<0>(opened);
    trace::live_blocks live;
    for (trace::event each; reader.next(each);)
        live.follow(each);
    if (reader.error())
        found.failure = reader.error()->message();
    found.header = reader.header();
    found.peak_bytes = live.peak_bytes();
    found.foreign = live.foreign();
    found.doubly_given =
        live.doubly_given() - std::min(live.doubly_given(), found.header.calls_under_way);
}

const char* remedy_for(int error_number) {
    switch (error_number) {
    case ENOSPC:
    case EDQUOT:
        return "; make room, or name a file elsewhere with -o";
    case EFBIG:
        return "; raise the limit for the size of files (ulimit -f)";
    case ENOMEM:
        return "; raise the limit for the address space (ulimit -v)";
    case EMFILE:
        return "; raise the limit for open files (ulimit -n)";
    case ENAMETOOLONG:
        return "; name a file with a shorter name with -o";
    case EACCES:
    case EROFS:
        return "; name a folder with -o in which every user that the program becomes may write";
    case ENOENT:
    case ENOTDIR:
        return "; name a file with -o that stays in its place, also after a chroot of the program";
    default:
        return "";
    }
}

/// The reason and the remedy.
std::string explained(std::uint32_t error_number) {
    const auto number = static_cast<int>(error_number);
    return std::strerror(number) + std::string(remedy_for(number));
}

/// Blocks given before the recorder is set up, or as it sets itself up. In most programs there is
/// none.
constexpr std::uint64_t foreign_limit = 16;

bool contradicts_itself(const recorded_trace& trace) {
    return trace.doubly_given != 0 || (!trace.inherits && trace.foreign > foreign_limit);
}

} // namespace

std::vector<recorded_trace> collect_traces(const std::string& file, std::uint64_t session,
                                           const os::foreground_end& end) {
    std::vector<recorded_trace> traces;
    for (const std::string& path : names_beside(file))
        if (auto found = described(path, session))
            traces.push_back(std::move(*found));
    std::sort(traces.begin(), traces.end(),
              [](const auto& a, const auto& b) { return a.header.started < b.header.started; });
    if (auto first = described(file, session))
        traces.insert(traces.begin(), std::move(*first));
    int patience = 20;
    for (std::size_t at = 0; at < traces.size(); ++at) {
        recorded_trace& each = traces[at];
        const os::file_use use = use_after_waiting(each, patience);
        each.running = use == os::file_use::live;
        each.inherits = may_inherit(traces, at, file);
        if (!each.running)
            seal_and_read(each, end_of(traces, at, end),
                          use == os::file_use::none ? trace::unused_space::cut_off
                                                    : trace::unused_space::kept);
    }
    return traces;
}

std::vector<std::string> complaints_about(const std::vector<recorded_trace>& traces) {
    std::vector<std::string> complaints;
    const auto say = [&complaints](const recorded_trace& about, const std::string& what) {
        complaints.push_back(about.path + ": " + what);
    };
    for (const recorded_trace& each : traces) {
        const trace::trace_header& header = each.header;
        if (each.running)
            say(each,
                fmt::format("process {} still runs, as far as can be told; its trace stays open, "
                            "and is not complete",
                            header.process));
        if (!each.failure.empty())
            say(each, each.failure);
        if (header.stop_error != 0)
            say(each,
                fmt::format("recording stopped at {} bytes, {} later are not in it: {}",
                            grouped(header.file_bytes), counted(header.unrecorded_calls, "call"),
                            explained(header.stop_error)));
        else if (header.unrecorded_calls != 0)
            say(each, fmt::format("{} made by signal handlers within others are not in it",
                                  counted(header.unrecorded_calls, "call")));
        if (header.lost_records != 0 && header.stop_error == 0)
            say(each, fmt::format("{} missing; please report this as a defect of the recorder",
                                  counted(header.lost_records, "record")));
        if (header.complete && contradicts_itself(each))
            say(each, fmt::format("{} given where one was, and {} that nothing had given: calls "
                                  "went past the recorder (of a library that is opened with "
                                  "RTLD_DEEPBIND, or calls the C library by other names), and the "
                                  "trace is not complete",
                                  counted(each.doubly_given, "block"),
                                  counted(each.foreign, "block") + " freed"));
        if (header.unrecorded_processes != 0)
            say(each, fmt::format("{} process{} could not be recorded: no trace could be made "
                                  "beside this one: {}",
                                  grouped(header.unrecorded_processes),
                                  header.unrecorded_processes == 1 ? "" : "es",
                                  explained(header.unrecorded_process_error)));
    }
    return complaints;
}

std::string summary_of(const std::vector<recorded_trace>& traces) {
    constexpr std::size_t shown_limit = 12;
    std::string text = fmt::format("{:<33} {:>11} {:>7} {:>11} {:>13}\n", "trace", "events",
                                   "threads", "peak live", "file");
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    std::size_t shown = 0;
    for (const recorded_trace& each : traces) {
        events += each.header.events;
        bytes += each.header.file_bytes;
        if (++shown > shown_limit)
            continue;
        std::string name = fs::path(each.path).filename().string();
        if (name.size() > 33)
            name = "..." + name.substr(name.size() - 30);
        text += fmt::format("{:<33} {:>11} {:>7} {:>11} {:>13}\n", name,
                            grouped(each.header.events), grouped(each.header.threads),
                            short_size(each.peak_bytes), short_size(each.header.file_bytes));
    }
    if (shown > shown_limit)
        text += fmt::format("... and {} more\n", shown - shown_limit);
    if (events != 0)
        text += fmt::format("{} in {}, {:.1f} bytes each, counted and complete.\n",
                            counted(events, "event"), counted(traces.size(), "trace"),
                            static_cast<double>(bytes) / static_cast<double>(events));
    return text;
}

} // namespace resident::tool
