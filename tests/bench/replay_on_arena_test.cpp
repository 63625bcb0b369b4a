// bench_replay: the heaps on an arena serve every request of real and made-up programs, with each
// block verified, and what they are told to hold is what they took.
#include "bench/part_of.hpp"
#include "replay/made_up_program.hpp"
#include "trace/written.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

namespace resident::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr std::array<const char*, 5> on_arena{"je-on-arena", "std-arena", "boost", "best-fit",
                                              "foonathan"};

class ReplayOnArena : public testing::Test {
protected:
    void write(const made_up_program& program) { write_trace(path, program.events); }
    /// Of these alone, and of the pool of this library.
    json replay(std::vector<std::string> more, bool ordinary_user = false) {
        std::vector<std::string> arguments{path, "--json", "-", "-q", "-r", "2", "-c", "resident"};
        for (const char* name : on_arena)
            arguments.insert(arguments.end(), {"-c", name});
        arguments.insert(arguments.end(), more.begin(), more.end());
        const tool_result said =
            run_tool(arguments, benchmark_options("bench_replay", folder.path(), ordinary_user));
        EXPECT_EQ(said.exit_code, 0) << said.diagnostics << said.output;
        return json::parse(said.output, nullptr, false);
    }
    /// For every user.
    json replay_unlocked() { return replay({"--unlocked", "--samples", "0"}); }
    static void expect_all_served(const json& report) {
        EXPECT_EQ(report["contestants"].size() + report["skipped"].size(), on_arena.size() + 1);
        for (const json& each : report["skipped"])
            EXPECT_THAT(each["reason"], HasSubstr("not found: lib")) << each.dump();
        const std::uint64_t live = report["trace"]["peak_live_bytes"];
        for (const json& each : report["contestants"]) {
            SCOPED_TRACE(each.dump());
            EXPECT_TRUE(each["verified"]);
            const json& samples = each["samples_ns_per_event"];
            ASSERT_EQ(samples.size(), 2U);
            EXPECT_DOUBLE_EQ(each["median_ns_per_event"],
                             (samples[0].get<double>() + samples[1].get<double>()) / 2);
            EXPECT_GE(each["peak_held_bytes"], live);
            EXPECT_LE(each["peak_held_bytes"], 8 * live + (std::uint64_t{64} << 20));
            EXPECT_EQ(each["peak_held_is"], "taken from its arena");
        }
    }

    scratch_folder folder;
    std::string path = folder.file("program.trace");
};

TEST_F(ReplayOnArena, ServesOneThreadEverySizeAndAlignment) {
    write(busy_program(20'000, 1, 1));
    expect_all_served(replay_unlocked());
}

TEST_F(ReplayOnArena, ServesThreadsInTurns) {
    write(busy_program(20'000, 3, 2));
    expect_all_served(replay_unlocked());
}

TEST_F(ReplayOnArena, IsLockedByDefaultAndTheReportSaysWhereItIsNot) {
    if (!is_root())
        GTEST_SKIP() << "needs root to lock more than the limit, and to become another user";
    write(busy_program(5'000, 1, 4));
    ::chmod(path.c_str(), 0644);
    for (const bool ordinary_user : {false, true}) {
        const json report = replay({"--samples", "0"}, ordinary_user);
        expect_all_served(report);
        for (const json& each : report["contestants"])
            EXPECT_EQ(each["arena_locked"], !ordinary_user || each["name"] == "resident")
                << each.dump();
        EXPECT_EQ(has_note(report, "could not be locked"), ordinary_user) << report["notes"].dump();
    }
    for (const json& each : replay_unlocked()["contestants"]) {
        EXPECT_EQ(each["arena_locked"], false);
        EXPECT_EQ(each["page_kind"], "base") << "of all, or they are not alike: " << each.dump();
    }
}

TEST_F(ReplayOnArena, ALargeBlockCountsAsMemoryHeld) {
    made_up_program program;
    program.begin(0);
    const std::uint64_t large = program.allocate(0, 20U << 20);
    program.allocate(0, 100);
    program.free(0, large);
    write(program);
    for (const json& each : replay_unlocked()["contestants"]) {
        EXPECT_GE(each["peak_held_bytes"], 20U << 20) << each.dump();
        EXPECT_LE(each["peak_held_bytes"], 26U << 20) << each.dump();
    }
}

TEST_F(ReplayOnArena, CountsInstructionsWhereACallIsShort) {
    write(busy_program(500, 1, 3));
    for (const json& each : replay({"--unlocked", "--samples", "20"})["contestants"]) {
        if (each["name"] == "boost") {
            EXPECT_THAT(each["instructions"]["missing"], HasSubstr("millions of instructions"));
        } else {
            EXPECT_EQ(each["instructions"]["allocate"]["calls"], 20) << each.dump();
        }
    }
}

/// Those of bench/traces, as their README says to unpack them.
TEST_F(ReplayOnArena, ServesTheTracesThatAreKept) {
    for (const auto& [name, events] : {std::pair{"sqlite3", 18'389}, {"perl", 22'630}}) {
        const std::string packed = std::string(RESIDENT_TRACES) + "/" + name + ".trace.gz";
        const std::string command = "gzip -dc '" + packed + "' >'" + path + "'";
        ASSERT_EQ(std::system(command.c_str()), 0) << command; // NOLINT: as in the README
        const json report = replay_unlocked();
        EXPECT_EQ(report["trace"]["events"], events);
        EXPECT_TRUE(report["trace"]["complete"]);
        expect_all_served(report);
    }
}

TEST_F(ReplayOnArena, AWrongWordIsRefusedWithTheNames) {
    const tool_result said =
        run_tool({"x.trace", "-c", "hoard"}, benchmark_options("bench_replay", folder.path()));
    EXPECT_EQ(said.exit_code, 2);
    EXPECT_THAT(said.diagnostics, HasSubstr("'hoard' is none of resident"));
    EXPECT_THAT(said.diagnostics, HasSubstr("foonathan"));
}

} // namespace
} // namespace resident::test
