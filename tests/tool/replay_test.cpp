// resident replay and resident size as their user meets them: what they find in traces that are
// known, what they refuse and with which words, and how much memory they take. Counts and states;
// never times.
#include "os/known_instructions.hpp"
#include "replay/made_up_program.hpp"
#include "support/build.hpp"
#include "tool/recorded_session.hpp"
#include "tool/run_tool.hpp"
#include "trace/written.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace resident::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

/// A trace file and what runs on it.
class Replay : public testing::Test {
protected:
    void write(const made_up_program& program) { write_trace(path, program.events); }
    /// With a JSON report; few repetitions, unlocked, so that it runs for every user.
    json replay(std::vector<std::string> more, int exit_code = 0) {
        std::vector<std::string> arguments{"replay", path, "--json", "-", "-q", "--unlocked"};
        if (std::find(more.begin(), more.end(), "--samples") == more.end())
            more.insert(more.end(), {"--samples", "0"});
        if (std::find(more.begin(), more.end(), "-r") == more.end())
            more.insert(more.end(), {"-r", "2"});
        arguments.insert(arguments.end(), more.begin(), more.end());
        return report_of(arguments, exit_code);
    }
    json size(std::vector<std::string> more = {}) {
        std::vector<std::string> arguments{"size", path, "--json", "-", "-q"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return report_of(arguments, 0);
    }
    json report_of(const std::vector<std::string>& arguments, int exit_code) {
        const tool_result result = run_tool(arguments);
        EXPECT_EQ(result.exit_code, exit_code) << result.diagnostics << result.output;
        return json::parse(result.output, nullptr, false);
    }

    scratch_folder folder;
    std::string path = folder.file("program.trace");
};

TEST_F(Replay, PeakAndCountsAreThoseOfTheProgram) {
    made_up_program program = busy_program(30'000, 1, 1);
    write(program);
    std::uint64_t live = 0;
    std::uint64_t peak = 0;
    std::map<std::uint64_t, std::uint64_t> blocks;
    std::map<trace::event_kind, std::uint64_t> kinds;
    for (const trace::event& each : program.events) {
        ++kinds[each.kind];
        if (each.kind == trace::event_kind::free)
            live -= blocks.extract(each.address).mapped();
        if (each.kind == trace::event_kind::reallocate)
            live -= blocks.extract(each.old_address).mapped();
        if (each.kind == trace::event_kind::allocate || each.kind == trace::event_kind::reallocate)
            live += blocks[each.address] = each.size;
        peak = std::max(peak, live);
    }
    const json report =
        replay({"-c", "resident", "-c", "glibc", "-c", "empty", "--capacity", "4MiB"});
    EXPECT_EQ(report["trace"]["peak_live_bytes"], peak);
    EXPECT_EQ(report["trace"]["bytes_never_freed"], live);
    EXPECT_EQ(report["trace"]["events"], program.events.size());
    EXPECT_EQ(report["trace"]["allocations"], kinds[trace::event_kind::allocate]);
    EXPECT_EQ(report["trace"]["frees"], kinds[trace::event_kind::free]);
    EXPECT_EQ(report["trace"]["reallocations"], kinds[trace::event_kind::reallocate]);
    EXPECT_TRUE(report["trace"]["complete"]);
    EXPECT_TRUE(report["passed"]);
    ASSERT_EQ(report["contestants"].size(), 3U);
    for (const json& row : report["contestants"]) {
        EXPECT_EQ(row["samples_ns_per_event"].size(), 2U) << row;
        EXPECT_EQ(row["verified"], !row["control"]) << row;
        EXPECT_GT(row["median_ns_per_event"], 0.0) << row;
    }
    const json& ours = report["contestants"][0];
    EXPECT_EQ(ours["name"], "resident");
    EXPECT_TRUE(ours["fits"]);
    EXPECT_GE(ours["peak_held_bytes"], peak);
    EXPECT_LE(ours["peak_held_bytes"], report["options"]["capacity_bytes"]);
    if (!sanitized) {
        EXPECT_EQ(ours["minor_faults"], 0);
        EXPECT_EQ(ours["major_faults"], 0);
        EXPECT_GE(report["contestants"][1]["minor_faults"], peak / 4096 / 2);
    }
}

TEST_F(Replay, ThreadsAndBlocksThatPassBetweenThem) {
    write(busy_program(10'000, 4, 2));
    const json report = replay({"-c", "resident", "-c", "std-pool", "--capacity", "8MiB"});
    EXPECT_EQ(report["trace"]["threads"], 4);
    ASSERT_EQ(report["contestants"].size(), 2U);
    for (const json& row : report["contestants"])
        EXPECT_TRUE(row["verified"]) << row;
    EXPECT_TRUE(report["contestants"][0]["fits"]);
}

TEST_F(Replay, EveryContestantIsMeasuredOrNamedWithTheReason) {
    if (sanitized)
        GTEST_SKIP() << "a sanitizer must come before every other malloc";
    write(busy_program(2'000, 2, 3));
    const json report = replay({"--capacity", "8MiB", "-r", "1"});
    EXPECT_EQ(report["contestants"].size() + report["skipped"].size(), 9U);
    for (const json& row : report["contestants"]) {
        EXPECT_FALSE(row.contains("broken")) << row;
        EXPECT_FALSE(row["samples_ns_per_event"].empty()) << row;
    }
    for (const json& row : report["skipped"])
        EXPECT_THAT(row["reason"].get<std::string>(),
                    testing::AnyOf(HasSubstr("not installed: the loader finds no lib"),
                                   HasSubstr("memlock")));
}

class SampledReplay : public Replay {
protected:
    void SetUp() override {
        if (sanitized)
            GTEST_SKIP() << "a sanitizer adds instructions";
        const auto tried = os::count_instructions([](os::stepper&) {});
        if (!tried.refused.empty())
            GTEST_SKIP() << tried.refused;
    }
};

TEST_F(SampledReplay, CallsAreCountedInTheirOrder) {
    write(busy_program(2'000, 2, 4));
    const json report =
        replay({"-c", "resident", "-c", "glibc", "--samples", "50", "--capacity", "8MiB"});
    for (const json& row : report["contestants"]) {
        for (const char* kind : {"allocate", "free"}) {
            const json& calls = row["instructions"][kind];
            EXPECT_GE(calls["calls"], 50) << row;
            EXPECT_LT(calls["calls"], 100) << row;
            EXPECT_GE(calls["median"], 8) << row;
            EXPECT_GE(calls["p99"], calls["median"]) << row;
            EXPECT_GE(calls["max"], calls["p99"]) << row;
        }
    }
}

/// Two large blocks at once, which the threads hardly ever have when each goes its own way.
TEST_F(SampledReplay, WhatDoesNotFitInTheOrderOfTheTraceDoesNotFit) {
    made_up_program program;
    program.begin(0);
    const std::uint64_t first = program.allocate(0, 4U << 20);
    const std::uint64_t second = program.allocate(1, 4U << 20);
    program.free(0, first);
    program.free(1, second);
    write(program);
    const json report =
        replay({"-c", "resident", "--no-verify", "--samples", "5", "--capacity", "6MiB"}, 1);
    const json& ours = report["contestants"][0];
    EXPECT_EQ(ours["fits"], false) << ours;
    EXPECT_EQ(ours["refusal"]["size_bytes"], 4U << 20);
    EXPECT_EQ(ours["refusal"]["live_bytes"], 4U << 20);
    EXPECT_EQ(ours["instructions"]["missing"], "a request was refused");
}

TEST_F(Replay, WhatDoesNotFitIsToldWithTheRequest) {
    made_up_program program;
    program.begin(0);
    for (int block = 0; block < 100; ++block)
        program.allocate(0, 10'000);
    write(program);
    const json report = replay({"-c", "resident", "--capacity", "512KiB"}, 1);
    const json& ours = report["contestants"][0];
    EXPECT_FALSE(ours["fits"]);
    EXPECT_TRUE(ours["samples_ns_per_event"].empty());
    EXPECT_EQ(ours["refusal"]["size_bytes"], 10'000);
    const auto event = ours["refusal"]["event"].get<std::uint64_t>();
    EXPECT_GT(event, 30U);
    EXPECT_LE(event, 53U) << "where 512 KiB are surely full";
    EXPECT_EQ(ours["refusal"]["live_bytes"], (event - 2) * 10'000);
    EXPECT_THAT(report["notes"].dump(), HasSubstr("resident does not fit: event"));
    EXPECT_FALSE(report["passed"]);
}

TEST_F(Replay, SizeTellsACapacityThatFitsAndOneThatDoesNot) {
    made_up_program program = busy_program(20'000, 1, 5);
    write(program);
    const json report = size();
    const auto capacity = report["capacity_bytes"].get<std::size_t>();
    const auto too_small = report["too_small_bytes"].get<std::size_t>();
    EXPECT_EQ(capacity - too_small, 4096U) << "to a granule";
    EXPECT_GE(capacity, report["trace"]["peak_live_bytes"]);
    EXPECT_GE(report["bound_bytes"], capacity);
    EXPECT_GT(report["memlock_bytes"], capacity);
    std::size_t at_peak = 0;
    for (const json& row : report["classes"]) {
        EXPECT_LE(row["blocks_at_peak"], row["peak_blocks"]) << row;
        at_peak += row["bytes_at_peak"].get<std::size_t>();
    }
    EXPECT_GE(at_peak, report["trace"]["peak_live_bytes"]) << "blocks are not smaller";
    EXPECT_LE(at_peak, report["peak_in_use_bytes"]);
    const std::string kib =
        std::to_string((report["memlock_bytes"].get<std::size_t>() + 1023) / 1024);
    EXPECT_THAT(report["limits_line"].get<std::string>(), HasSubstr(" - memlock " + kib));
    EXPECT_EQ(report["systemd_line"], "LimitMEMLOCK=" + kib + "K");

    const auto in_kib = [](std::size_t bytes) { return std::to_string(bytes / 1024) + "KiB"; };
    EXPECT_TRUE(replay({"-c", "resident", "--capacity", in_kib(capacity)})["passed"]);
    EXPECT_FALSE(replay({"-c", "resident", "--capacity", in_kib(too_small)}, 1)["passed"]);
}

TEST_F(Replay, SizeKnowsTheClassesOfASimpleProgram) {
    made_up_program program;
    std::vector<std::uint64_t> early;
    for (int block = 0; block < 10; ++block)
        early.push_back(program.allocate(0, 33));
    for (const std::uint64_t block : early)
        program.free(0, block);
    for (int block = 0; block < 3; ++block)
        program.allocate(0, 1000);
    program.allocate(0, 100'000);
    write(program);
    const json report = size();
    ASSERT_EQ(report["classes"].size(), 3U) << report["classes"];
    EXPECT_EQ(report["classes"][0], json({{"block_bytes", 48},
                                          {"blocks_at_peak", 0},
                                          {"bytes_at_peak", 0},
                                          {"peak_blocks", 10},
                                          {"peak_bytes", 480}}));
    EXPECT_EQ(report["classes"][1], json({{"block_bytes", 1008},
                                          {"blocks_at_peak", 3},
                                          {"bytes_at_peak", 3024},
                                          {"peak_blocks", 3},
                                          {"peak_bytes", 3024}}));
    EXPECT_EQ(report["classes"][2], json({{"runs", true},
                                          {"blocks_at_peak", 1},
                                          {"bytes_at_peak", 102'400},
                                          {"peak_blocks", 1},
                                          {"peak_bytes", 102'400}}));
}

TEST_F(Replay, SizeOfAProgramWithThreadsHasLanes) {
    write(busy_program(5'000, 3, 6));
    const json report = size({"--tries", "6"});
    EXPECT_EQ(report["lanes"], 3);
    EXPECT_LE(report["replays"], 6);
    EXPECT_GE(report["least_fitting_bytes"], report["trace"]["peak_live_bytes"]);
    EXPECT_GT(report["least_fitting_bytes"], report["too_small_bytes"]);
    EXPECT_EQ(report["confirmations"], 5) << "threads meet in another way in each run";
    EXPECT_GE(report["capacity_bytes"].get<std::size_t>() * 8,
              report["least_fitting_bytes"].get<std::size_t>() * 9);
    EXPECT_GT(report["memlock_bytes"], report["capacity_bytes"]) << "the line is for that";
}

/// Six threads with few blocks each, whose lanes take the arena to its last granule.
made_up_program crowded_program() {
    made_up_program program;
    std::vector<std::pair<std::uint32_t, std::uint64_t>> blocks;
    for (std::uint32_t thread = 1; thread <= 6; ++thread) {
        program.begin(thread);
        for (std::uint64_t block = 0; block < 40; ++block)
            blocks.emplace_back(thread, program.allocate(thread, 50 * (1 + block % 8)));
    }
    for (const auto& [thread, block] : blocks)
        program.free(thread, block);
    return program;
}

TEST_F(Replay, TheCapacityItChoosesIsEnoughForThreads) {
    write(crowded_program());
    for (int run = 0; run < 3; ++run) {
        const json report = replay({"-c", "resident"});
        EXPECT_TRUE(report["contestants"][0]["fits"]) << report["options"];
        EXPECT_TRUE(report["passed"]);
    }
}

/// Two blocks take less than the pool that serves them.
TEST_F(Replay, AnArenaTooSmallForThePoolItselfIsToldAsThat) {
    made_up_program program;
    program.begin(0);
    program.begin(1);
    program.allocate(0, 8);
    program.allocate(1, 8);
    write(program);
    const json report = replay({"-c", "resident", "--capacity", "8KiB"}, 1);
    EXPECT_EQ(report["contestants"][0]["fits"], false) << report["contestants"];
    EXPECT_THAT(report["notes"].dump(), HasSubstr("not even the pool itself"));
    EXPECT_GT(size()["least_fitting_bytes"], 8192) << "the search goes on above it";
}

TEST_F(Replay, SizeTriesNoArenaThatTakesMostOfTheMemory) {
    made_up_program program;
    program.begin(0);
    program.allocate(0, 8, std::uint64_t{1} << 40);
    write(program);
    const tool_result result = run_tool({"size", path, "-q"});
    EXPECT_EQ(result.exit_code, 1) << result.output;
    EXPECT_THAT(result.diagnostics, HasSubstr("more than half of the memory left"));
}

TEST_F(Replay, SqliteHasThePeakThatTheRecorderSaw) {
    if (std::system("sqlite3 -version >/dev/null 2>&1") != 0) // NOLINT: the test's own words
        GTEST_SKIP() << "sqlite3 is not installed";
    const tool_result recorded =
        run_tool({"record", "-o", path, "--", "sqlite3", ":memory:",
                  "CREATE TABLE t(a, b); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
                  "FROM n WHERE "
                  "i < 2000) INSERT INTO t SELECT i, 'text ' || i FROM n; CREATE INDEX x ON t(b); "
                  "SELECT count(*), max(b) FROM t WHERE a % 3 = 0 GROUP BY a % 7;"});
    ASSERT_EQ(recorded.exit_code, 0) << recorded.diagnostics;
    const read_trace seen(path);
    ASSERT_EQ(seen.failure, "");
    EXPECT_GT(seen.live.peak_bytes(), 100'000U);
    EXPECT_THAT(recorded.diagnostics,
                HasSubstr(std::to_string((seen.live.peak_bytes() + 512) / 1024) + " KiB"))
        << "KiB that the command tells";
    const json report = replay({"-c", "resident", "-c", "glibc"});
    EXPECT_EQ(report["trace"]["peak_live_bytes"], seen.live.peak_bytes());
    EXPECT_TRUE(report["trace"]["complete"]);
    for (const json& each : report["contestants"])
        EXPECT_TRUE(each["verified"]) << each.dump();
}

TEST_F(Replay, ATraceThatWasCutOffSaysSo) {
    made_up_program program = busy_program(1'000, 1, 7);
    {
        std::string reason;
        auto made = trace::writer::create(path, {.process = 42, .command = "cut"}, reason);
        ASSERT_TRUE(made) << reason;
        for (const trace::event& each : program.events)
            ASSERT_TRUE(made->append(each));
        // not finished: the header is that of a file still being written
    }
    const tool_result result = run_tool({"size", path, "-q"});
    if (result.exit_code == 2)
        GTEST_SKIP() << "the reader takes no trace that was not finished";
    EXPECT_EQ(result.exit_code, 0) << result.diagnostics;
    EXPECT_THAT(result.output, HasSubstr("not complete"));
}

TEST_F(Replay, ReportsFitEightyColumns) {
    write(busy_program(1'000, 2, 8));
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"size", path, "-q"},
          {"replay", path, "-q", "-r", "1", "--samples", "20", "--unlocked", "--capacity", "64KiB",
           "-c", "resident", "-c", "std-pool", "-c", "empty"}}) {
        const tool_result result = run_tool(arguments);
        EXPECT_LE(widest_line(result.output), 80U) << result.output;
        EXPECT_THAT(result.output, HasSubstr("made up"));
    }
}

TEST_F(Replay, JsonGoesToAFileBesideTheText) {
    write(busy_program(1'000, 1, 9));
    const std::string to = folder.file("report.json");
    const tool_result result =
        run_tool({"replay", path, "-q", "-r", "1", "--samples", "0", "-c", "glibc", "--json", to});
    EXPECT_EQ(result.exit_code, 0) << result.diagnostics;
    EXPECT_THAT(result.output, HasSubstr("glibc"));
    EXPECT_EQ(json::parse(read_text(to))["contestants"][0]["name"], "glibc");
}

TEST_F(Replay, FilesThatAreNoTracesAreRefusedWithTheOffset) {
    write(busy_program(20'000, 1, 10));
    const std::string sound = read_text(path);
    std::string flipped = sound;
    flipped[sound.size() / 2] = static_cast<char>(flipped[sound.size() / 2] ^ 0x55);
    const std::vector<std::pair<std::string, std::string>> files{
        {"empty", ""},
        {"text", "this is no trace\n"},
        {"cut", sound.substr(0, sound.size() / 2)},
        {"header", sound.substr(0, 100)},
        {"flipped", flipped}};
    for (const auto& [name, content] : files) {
        folder.write(name, content);
        for (const char* command : {"replay", "size"}) {
            const tool_result result = run_tool({command, folder.file(name), "-q"});
            EXPECT_EQ(result.exit_code, 2) << name;
            EXPECT_THAT(result.output, IsEmpty()) << name;
            EXPECT_THAT(result.diagnostics, HasSubstr(folder.file(name) + ": byte ")) << name;
        }
    }
}

TEST_F(Replay, ATraceWithoutACallIsRefused) {
    made_up_program program;
    program.begin(0);
    write(program);
    const tool_result result = run_tool({"size", path, "-q"});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.diagnostics, HasSubstr("holds no allocation"));
}

/// The most memory that a process of the tool's took, bytes.
std::size_t peak_of(const std::vector<std::string>& arguments) {
    running_tool tool(arguments);
    int status = 0;
    rusage used{};
    // Children count, too: the larger of them is the one that is asked about.
    ::wait4(tool.id(), &status, WNOWAIT, &used);
    const tool_result result = tool.wait();
    EXPECT_EQ(result.exit_code, 0) << result.diagnostics;
    rusage children{};
    ::getrusage(RUSAGE_CHILDREN, &children);
    return static_cast<std::size_t>(std::max(used.ru_maxrss, children.ru_maxrss)) * 1024;
}

TEST_F(Replay, MemoryDoesNotGrowWithTheEvents) {
    if (sanitized)
        GTEST_SKIP() << "a sanitizer keeps freed memory";
    // One after the other: ru_maxrss of the children is the largest so far.
    const auto peak_with = [this](std::size_t events) {
        write(busy_program(events, 1, 11));
        return peak_of({"replay", path, "-q", "-r", "1", "--samples", "0", "-c", "resident",
                        "--capacity", "4MiB", "--unlocked", "--no-verify"});
    };
    const std::size_t few = peak_with(200'000); // more than a chunk
    const std::size_t many = peak_with(2'000'000);
    EXPECT_LE(many, few + 2_MiB);
}

} // namespace
} // namespace resident::test
