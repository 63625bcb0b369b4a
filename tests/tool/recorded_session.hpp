/// Recording the test program, and comparing the trace with what it counted itself.
#pragma once

#include "tool/run_tool.hpp"
#include "trace/live_blocks.hpp"
#include "trace/reader.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace resident::test {

/// Calls of 7001 to 7999 bytes, and what frees their blocks.
struct counted_calls_of {
    unsigned long allocations = 0;
    unsigned long frees = 0;
    unsigned long reallocations = 0;

    friend bool operator==(const counted_calls_of&, const counted_calls_of&) = default;
    friend void PrintTo(const counted_calls_of& what, std::ostream* to) {
        *to << what.allocations << ' ' << what.frees << ' ' << what.reallocations;
    }
};

/// A trace, read to its end.
struct read_trace {
    trace::trace_header header;
    counted_calls_of counted;
    trace::live_blocks live;
    std::string failure;

    explicit read_trace(const std::string& path) {
        auto opened = trace::reader::open(path);
        if (const auto* wrong = std::get_if<1>(&opened)) {
            failure = wrong->message();
            return;
        }
        auto& reader = std::get<0>(opened);
        header = reader.header();
        std::set<std::uint64_t> blocks;
        for (trace::event each; reader.next(each);) {
            live.follow(each);
            count(each, blocks);
        }
        if (reader.error())
            failure = reader.error()->message();
    }

private:
    void count(const trace::event& each, std::set<std::uint64_t>& blocks) {
        const bool counts = each.size > 7000 && each.size < 8000;
        switch (each.kind) {
        case trace::event_kind::allocate:
            if (counts && blocks.insert(each.address).second)
                ++counted.allocations;
            break;
        case trace::event_kind::free:
            counted.frees += blocks.erase(each.address);
            break;
        case trace::event_kind::reallocate:
            if (blocks.erase(each.old_address) != 0)
                ++counted.reallocations;
            if (counts)
                blocks.insert(each.address);
            break;
        default:
            break;
        }
    }
};

inline void expect_whole(const read_trace& read) {
    EXPECT_EQ(read.failure, "");
    EXPECT_TRUE(read.header.complete);
    EXPECT_EQ(read.header.lost_records, 0U);
    EXPECT_EQ(read.header.unrecorded_calls, 0U);
    EXPECT_EQ(read.live.doubly_given(), 0U);
}

/// The line that the program printed, the `at`-th from 0.
inline counted_calls_of told_by(const std::string& output, int at = 0) {
    std::istringstream lines(output);
    counted_calls_of told;
    for (; at >= 0; --at)
        lines >> told.allocations >> told.frees >> told.reallocations;
    return told;
}

/// One `resident record` of the test program, in a folder of its own.
struct recorded_session {
    explicit recorded_session(std::vector<std::string> arguments, tool_options options = {},
                              const char* program = RESIDENT_RECORDED_PROGRAM) {
        arguments.insert(arguments.begin(), {"record", "-o", folder.file("trace"), "--", program});
        result = run_tool(arguments, options);
    }
    [[nodiscard]] std::string file() const { return folder.file("trace"); }
    /// Of processes but the first.
    [[nodiscard]] std::vector<std::string> others() const {
        std::vector<std::string> names;
        for (const std::string& name : folder.content())
            if (name != "trace")
                names.push_back(folder.file(name));
        return names;
    }

    scratch_folder folder;
    tool_result result;
};

/// Runs a script; $resident, $program and $folder are set in it.
inline tool_result run_script(const scratch_folder& folder, const std::string& script) {
    const std::string head = "resident=" RESIDENT_TOOL "; program=" RESIDENT_RECORDED_PROGRAM
                             "; folder=" +
                             folder.path() + "\n";
    folder.write("script", head + script);
    const int status = std::system(("sh " + folder.file("script") + " >" + folder.file("output") +
                                    " 2>" + folder.file("diagnostics"))
                                       .c_str());
    return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
            .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
            .output = read_text(folder.file("output")),
            .diagnostics = read_text(folder.file("diagnostics"))};
}

/// Whether the diagnostics have these words, wherever lines are broken.
inline bool says(const tool_result& result, const std::string& what) {
    std::string text;
    std::istringstream words(result.diagnostics);
    for (std::string word; words >> word;)
        text += word + ' ';
    return text.find(what) != std::string::npos;
}

} // namespace resident::test
