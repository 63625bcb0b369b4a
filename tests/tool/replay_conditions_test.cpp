// resident replay tells on what it was measured, and judges by nothing that nobody asked for.
#include "replay/made_up_program.hpp"
#include "tool/replay_result.hpp"
#include "tool/run_tool.hpp"
#include "trace/written.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace resident::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class ReplayConditions : public testing::Test {
protected:
    void write(const made_up_program& program) { write_trace(path, program.events); }
    /// Nothing is stepped through: that would be no condition, and take minutes under a sanitizer.
    std::string say(std::vector<std::string> more) {
        std::vector<std::string> arguments{"replay", path,        "-q", "-r",
                                           "1",      "--samples", "0",  "--unlocked"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const tool_result said = run_tool(arguments);
        EXPECT_EQ(said.exit_code, 0) << said.diagnostics;
        return said.output;
    }
    json replay(std::vector<std::string> more) {
        more.insert(more.end(), {"--json", "-"});
        return json::parse(say(more), nullptr, false);
    }

    scratch_folder folder;
    std::string path = folder.file("program.trace");
};

TEST_F(ReplayConditions, TellsTheMachineAndItsNoise) {
    for (const std::uint32_t threads : {1U, 2U}) {
        write(busy_program(1'000, threads, 12));
        const json report = replay({"-c", "glibc"});
        const json& machine = report["machine"];
        for (const char* fact : {"processor", "governor", "kernel", "compiler", "build"})
            EXPECT_NE(machine.value(fact, ""), "") << machine;
        EXPECT_EQ(machine["pinned to processor"] == "none", threads != 1) << machine;
        EXPECT_EQ(machine["noise"]["samples"], 1'000'000);
        EXPECT_LE(machine["noise"]["p50_ns"], machine["noise"]["p99_99_ns"]);
        const std::string said = say({"-c", "glibc"});
        EXPECT_THAT(said, HasSubstr("\nmachine   processor "));
        EXPECT_THAT(said, HasSubstr("reading the clock: p50"));
        EXPECT_LE(widest_line(said), 80U) << said;
    }
}

TEST_F(ReplayConditions, TheOthersFitInWhatWasAskedForAlone) {
    write(busy_program(20'000, 1, 13));
    const json found = replay({"-c", "resident", "-c", "glibc"});
    EXPECT_EQ(found["contestants"][0]["fits"], true);
    EXPECT_FALSE(found["contestants"][1].contains("fits")) << "what ours needs is no limit of it";
    EXPECT_TRUE(found["contestants"][1].contains("peak_held_bytes"));
    const json asked = replay({"-c", "glibc", "--capacity", "1GiB"});
    EXPECT_EQ(asked["contestants"][0]["fits"], true);
    const json too_little = replay({"-c", "glibc", "--capacity", "64KiB"});
    EXPECT_EQ(too_little["contestants"][0]["fits"], false);
}

/// Two threads with a large block each, which the second asks for after so many small ones that the
/// first has freed its own: unless it fills and checks it, as a replay that verifies does.
made_up_program program_that_meets_when_verified() {
    constexpr std::uint64_t large = 16U << 20;
    made_up_program program;
    for (std::uint32_t thread = 0; thread <= 2; ++thread)
        program.begin(thread);
    program.free(1, program.allocate(1, large));
    for (int block = 0; block < 10'000; ++block)
        program.free(2, program.allocate(2, 64));
    program.free(2, program.allocate(2, large));
    return program;
}

TEST_F(ReplayConditions, ACapacityThatItChoseGrowsWhenThreadsMeetInAnotherWay) {
    write(program_that_meets_when_verified());
    const json report = replay({"-c", "resident"}); // unless they met in the search, too
    ASSERT_EQ(report["contestants"].size(), 1U) << report;
    EXPECT_EQ(report["contestants"][0]["fits"], true) << report;
    EXPECT_EQ(report["contestants"][0]["verified"], true);
}

/// The same from the very capacity at which the search is said to have ended.
TEST_F(ReplayConditions, TheCapacityGrowsUntilEveryTurnIsServedAndTheReportSaysSo) {
    write(busy_program(5'000, 2, 14));
    const tool_result said = run_tool({path, "65536", "2"}, {.program = RESIDENT_GROWING_REPLAY});
    const json report = json::parse(said.output, nullptr, false);
    ASSERT_EQ(report["contestants"].size(), 2U) << said.output << said.diagnostics;
    EXPECT_EQ(report["passed"], true);
    for (const json& each : report["contestants"]) {
        EXPECT_EQ(each["verified"], true);
        EXPECT_EQ(each["samples_ns_per_event"].size(), 2U) << "none of a turn on less: " << each;
    }
    const json& options = report["options"];
    EXPECT_EQ(options["outgrown_capacity_bytes"], 65536);
    EXPECT_GE(options["capacity_bytes"], report["trace"]["peak_live_bytes"]);
    ASSERT_EQ(report["notes"].size(), 1U) << report["notes"];
    EXPECT_THAT(report["notes"][0], HasSubstr("An arena of 64 KiB had been found to be enough, and "
                                              "was not when the threads met in another way"));
}

/// With no lanes it may not, and with so many the next step is beyond all memory.
TEST_F(ReplayConditions, WhereTheCapacityCannotGrowARefusalIsTheAnswer) {
    write(busy_program(5'000, 2, 14));
    for (const char* lanes : {"0", "1000000000000"}) {
        const tool_result said =
            run_tool({path, "65536", lanes}, {.program = RESIDENT_GROWING_REPLAY});
        const json report = json::parse(said.output, nullptr, false);
        ASSERT_EQ(report["contestants"].size(), 2U) << said.output << said.diagnostics;
        EXPECT_EQ(report["passed"], false);
        EXPECT_TRUE(report["contestants"][0].contains("refusal")) << report;
        EXPECT_EQ(report["contestants"][1]["samples_ns_per_event"].size(), 2U) << report;
        EXPECT_EQ(report["options"]["capacity_bytes"], 65536);
        EXPECT_FALSE(report["options"].contains("outgrown_capacity_bytes"));
    }
}

TEST_F(ReplayConditions, WhoWasFoundBrokenStaysSoWhenAllBeginsAnew) {
    tool::replay_figures row{.who = &tool::all_replay_contestants()[0], .verified = true};
    row.begin_anew();
    EXPECT_FALSE(row.verified);
    row.broken = "two blocks overlap";
    row.begin_anew();
    EXPECT_EQ(row.broken, "two blocks overlap");
}

} // namespace
} // namespace resident::test
