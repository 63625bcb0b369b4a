#include "tool/record.hpp"

#include "os/harness/foreground_process.hpp"
#include "tool/demo_setup.hpp"
#include "tool/exit_code.hpp"
#include "tool/recordable_program.hpp"
#include "tool/recorded_traces.hpp"
#include "tool/recorder_preload.hpp"
#include "tool/text_layout.hpp"
#include "trace/blank_trace.hpp"
#include "trace/format.hpp"

#include <fmt/core.h>

#include <chrono>
#include <filesystem>

namespace resident::tool {
namespace {

namespace fs = std::filesystem;

constexpr int first_signal_code = 128; ///< as shells tell of a signal

std::uint64_t now() {
    return static_cast<std::uint64_t>(
        std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count());
}

usage_error cannot_write(const std::string& output, const std::string& reason) {
    return usage_error(
        fmt::format("cannot write {}: {}; name another file with -o", output, reason));
}

/// Other processes than the first add their number, and that of a program they go on as.
void refuse_long_name(const std::string& output) {
    constexpr std::size_t name_limit = 255; // of all file systems of note, bytes
    constexpr std::size_t room = sizeof ".4194304.999" - 1;
    const std::size_t bytes = fs::path(output).filename().string().size();
    if (bytes + room > name_limit)
        throw cannot_write(output, fmt::format("its name has {} bytes, and more than {} leave no "
                                               "room for the numbers of further processes",
                                               bytes, name_limit - room));
}

/// Where a trace at `output` goes: behind links, also to what is not there yet. If that cannot be
/// told, `output` itself: whoever creates the trace says why not.
std::string place_of(const std::string& output) {
    constexpr int links_limit = 40; // as the kernel's
    std::error_code failure;
    fs::path path = fs::absolute(output);
    const auto leads_nowhere = [&] {
        return fs::is_symlink(fs::symlink_status(path, failure)) && !fs::exists(path, failure);
    };
    for (int links = 0; leads_nowhere(); ++links) {
        if (links == links_limit)
            throw cannot_write(output, "it is a link that leads to itself");
        path = path.parent_path() / fs::read_symlink(path, failure);
    }
    refuse_long_name(path.string());
    const fs::path canonical = fs::weakly_canonical(path, failure);
    return failure ? path.string() : canonical.string();
}

void print_failure(const std::string& what) { fmt::print(stderr, "{}", wrap("resident: ", what)); }

/// Why FILE has nothing that the program did.
std::string why_nothing(const std::string& file, const std::string& program) {
    std::error_code failure;
    const std::uintmax_t bytes = fs::file_size(file, failure);
    if (failure || bytes < trace::file_header_bytes)
        return fmt::format("{}: it was removed or cut while {} ran, and what was recorded is "
                           "lost; name a file with -o that nothing else touches",
                           file, program);
    return fmt::format("{}: nothing was recorded: {} never allocated, or the recorder could not "
                       "be loaded into it; a program that is linked statically cannot be "
                       "recorded, nor one that clears its environment",
                       file, program);
}

/// Returns: the code to exit with.
int report(const record_options& options, const std::string& file,
           const std::vector<recorded_trace>& traces, const std::string& program,
           const os::child_end& end) {
    std::vector<std::string> complaints = complaints_about(traces);
    if (brings_own_malloc(program))
        complaints.push_back(fmt::format(
            "{} has a malloc of its own, which comes before the recorder's: its calls are not "
            "recorded; link it without",
            options.command.front()));
    else if (traces.empty() || traces.front().path != file)
        complaints.push_back(why_nothing(file, options.command.front()));
    if (!options.quiet && complaints.empty())
        fmt::print(stderr, "{}", summary_of(traces));
    for (const std::string& each : complaints)
        print_failure(each);
    if (end.signal != 0)
        return first_signal_code + end.signal;
    return end.exit_code == 0 && !complaints.empty() ? exit_check_failed : end.exit_code;
}

} // namespace

int run_record(const record_options& options) {
    std::string program;
    std::string file;
    const std::uint64_t session = now();
    recorder_preload preload;
    try {
        program = find_recordable(options.command.front());
        file = place_of(options.output);
        if (const auto wrong = trace::create_blank_trace(file, session))
            throw cannot_write(options.output, *wrong);
    } catch (const usage_error& wrong) {
        print_failure(wrong.what());
        return exit_usage;
    }
    std::string reason;
    const auto end =
        os::run_in_foreground({.program = program,
                               .arguments = options.command,
                               .environment = {preload.setting(), "RESIDENT_RECORD_FILE=" + file}},
                              reason);
    if (!end) {
        print_failure(reason);
        return exit_usage;
    }
    const std::vector<recorded_trace> traces = collect_traces(file, session, *end);
    for (const recorded_trace& each : traces)
        if (each.running)
            preload.stay();
    return report(options, file, traces, program, end->how);
}

} // namespace resident::tool
