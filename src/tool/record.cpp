#include "tool/record.hpp"

#include "os/harness/foreground_process.hpp"
#include "tool/demo_setup.hpp"
#include "tool/exit_code.hpp"
#include "tool/recordable_program.hpp"
#include "tool/recorded_traces.hpp"
#include "tool/text_layout.hpp"
#include "trace/blank_trace.hpp"

#include <fmt/core.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

namespace resident::tool {
namespace {

constexpr int first_signal_code = 128; ///< as shells tell of a signal

std::uint64_t now() {
    return static_cast<std::uint64_t>(
        std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count());
}

/// Before others that are preloaded: those are then what the program is recorded on.
std::string preload_setting(const std::string& recorder) {
    const char* const others = std::getenv("LD_PRELOAD");
    return "LD_PRELOAD=" + recorder +
           (others != nullptr && *others != '\0' ? ":" + std::string(others) : "");
}

void complain(const std::string& what) { fmt::print(stderr, "{}", wrap("resident: ", what)); }

/// Returns: the code to exit with.
int report(const record_options& options, const std::string& file,
           const std::vector<recorded_trace>& traces, const os::child_end& end) {
    std::vector<std::string> complaints = complaints_about(traces);
    if (traces.empty() || traces.front().path != file)
        complaints.push_back(fmt::format(
            "{}: nothing was recorded: {} never allocated, or the recorder could not be loaded "
            "into it; a program that is linked statically cannot be recorded, nor one that clears "
            "its environment",
            file, options.command.front()));
    if (!options.quiet && complaints.empty())
        fmt::print(stderr, "{}", summary_of(traces));
    for (const std::string& each : complaints)
        complain(each);
    if (end.signal != 0)
        return first_signal_code + end.signal;
    return end.exit_code == 0 && !complaints.empty() ? exit_check_failed : end.exit_code;
}

} // namespace

int run_record(const record_options& options) {
    namespace fs = std::filesystem;
    std::string program;
    std::string file;
    const std::uint64_t session = now();
    try {
        program = find_recordable(options.command.front());
        file = fs::weakly_canonical(fs::absolute(options.output)).string();
        if (const auto wrong = trace::create_blank_trace(file, session))
            throw usage_error(fmt::format("cannot write {}: {}; name another file with -o",
                                          options.output, *wrong));
    } catch (const usage_error& wrong) {
        complain(wrong.what());
        return exit_usage;
    }
    std::string reason;
    const auto end = os::run_in_foreground(
        {.program = program,
         .arguments = options.command,
         .environment = {preload_setting(find_recorder()), "RESIDENT_RECORD_FILE=" + file}},
        reason);
    if (!end) {
        complain(reason);
        return exit_usage;
    }
    const std::vector<recorded_trace> traces = collect_traces(file, session, *end);
    return report(options, file, traces, *end);
}

} // namespace resident::tool
