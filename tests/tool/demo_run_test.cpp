// What the demo shows: no fault on the arena, in every run and for every user, and what the report
// says of it. Counts and states; never times.
#include "support/build.hpp"
#include "tool/run_tool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace resident::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

const json* find_contestant(const json& report, const std::string& beginning) {
    for (const json& row : report["contestants"]) {
        if (row["name"].get<std::string>().starts_with(beginning))
            return &row;
    }
    return nullptr;
}

/// Whether it is among those left out, for a reason that says `why`.
bool was_skipped(const json& report, const std::string& beginning, const std::string& why = {}) {
    for (const json& row : report["skipped"]) {
        if (row["name"].get<std::string>().starts_with(beginning)) {
            return row["reason"].get<std::string>().find(why) != std::string::npos;
        }
    }
    return false;
}

class SerialDemo : public testing::Test {
protected:
    void SetUp() override {
        if (sanitized)
            GTEST_SKIP() << "a sanitizer's shadow memory faults in the measured loop";
        std::string records;
        for (int record = 0; record < 500; ++record) {
            records += "Package: number-" + std::to_string(record) + "\n";
            for (int line = 0; line <= record % 40; ++line) {
                records += "Field: " + std::string(static_cast<std::size_t>(line * 3), 'v') + "\n";
            }
            records += "\n";
        }
        folder.write("input", records);
    }

    tool_result run(const std::vector<std::string>& more, bool ordinary_user = false) const {
        std::vector<std::string> arguments{"demo", "-D", "300ms", "--input", "input"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run_tool(arguments, {.ordinary_user = ordinary_user, .folder = folder.path()});
    }

    json report() const {
        return json::parse(read_text(folder.file("resident-demo/report.json")), nullptr, false);
    }

    static void expect_faultless_arena(const json& report) {
        for (const char* name :
             {"resident pool (pmr)", "resident allocator<T>", "resident, two threads"}) {
            const json* arena = find_contestant(report, name);
            ASSERT_NE(arena, nullptr) << name << report.dump(2);
            EXPECT_EQ((*arena)["minor_faults"], 0) << name;
            EXPECT_EQ((*arena)["major_faults"], 0) << name;
            EXPECT_GT((*arena)["periods"], 0) << name;
            EXPECT_GE((*arena)["locked_bytes"], report["workload"]["arena_capacity_bytes"]) << name;
        }
        const json* shared = find_contestant(report, "resident, two threads");
        EXPECT_GT((*shared)["passed_records"], 0) << "the second thread had nothing to free";
        EXPECT_EQ(report["passed"], true);
        EXPECT_THAT(
            report["conclusion"].get<std::string>(),
            HasSubstr("on the resident arena, in one thread and in two, it took no page fault"));
    }

    scratch_folder folder;
};

TEST_F(SerialDemo, ArenaTakesNoFaultWithoutPressure) {
    const tool_result result = run({"--no-pressure", "--capacity", "8MiB"});
    EXPECT_EQ(result.exit_code, 0) << result.diagnostics << result.output;
    expect_faultless_arena(report());
    EXPECT_EQ(report()["pressure"]["active"], false);
    EXPECT_THAT(result.output, HasSubstr("Without memory pressure"));
}

TEST_F(SerialDemo, ArenaTakesNoFaultBesideAHogWhereMallocTakesThousands) {
    if (!is_root())
        GTEST_SKIP() << "needs root for a memory cgroup and swap";
    const tool_result result = run({});
    const json found = report();
    if (!found["pressure"]["active"]) {
        GTEST_SKIP() << "no memory cgroup or no swap here: " << found["pressure"]["reason"];
    }
    EXPECT_EQ(result.exit_code, 0) << result.diagnostics << result.output;
    expect_faultless_arena(found);
    const json* on_malloc = find_contestant(found, "malloc");
    ASSERT_NE(on_malloc, nullptr);
    EXPECT_GT((*on_malloc)["major_faults"].get<int>() + (*on_malloc)["minor_faults"].get<int>(),
              500);
    EXPECT_THAT(result.output, HasSubstr("Under memory pressure, the loop on malloc took"));
}

TEST_F(SerialDemo, FitsAnOrdinaryUsersLimit) {
    if (!is_root())
        GTEST_SKIP() << "needs root to become another user";
    const tool_result result = run({}, true);
    EXPECT_EQ(result.exit_code, 0) << result.diagnostics << result.output;
    const json found = report();
    expect_faultless_arena(found);
    EXPECT_EQ(found["pressure"]["active"], false);
    EXPECT_THAT(found["pressure"]["reason"].get<std::string>(), HasSubstr("root"));
    EXPECT_TRUE(was_skipped(found, "mlockall")) << "it cannot fit, and must not be hidden";
    EXPECT_THAT(result.output, HasSubstr("not measured: see the note below"));
}

TEST_F(SerialDemo, FailsAndClaimsNothingIfTheArenaCannotBe) {
    if (!is_root())
        GTEST_SKIP() << "needs root to become another user";
    const tool_result result = run({"-q", "--capacity", "16MiB"}, true);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.output, testing::StartsWith("Nothing is shown"));
    EXPECT_THAT(result.diagnostics, HasSubstr("RLIMIT_MEMLOCK"));
    const json found = report();
    EXPECT_TRUE(was_skipped(found, "resident", "RLIMIT_MEMLOCK"));
    EXPECT_EQ(found["passed"], false);
}

TEST_F(SerialDemo, ReportsEveryContestantInTheAgreedForm) {
    run({"--no-pressure", "--capacity", "4MiB"});
    const json found = report();
    for (const char* name :
         {"empty loop", "malloc", "std pool", "mlockall", "jemalloc", "resident pool (pmr)",
          "resident allocator<T>", "resident, two threads"}) {
        EXPECT_TRUE(find_contestant(found, name) != nullptr || was_skipped(found, name)) << name;
    }
    // LD_PRELOAD of a library that is missing has no effect; that must not pass for jemalloc.
    EXPECT_TRUE(find_contestant(found, "jemalloc") != nullptr ||
                was_skipped(found, "jemalloc", "not installed"));
    for (const json& row : found["contestants"]) {
        for (const char* field :
             {"minor_faults", "major_faults", "missed_periods", "locked_bytes"}) {
            EXPECT_TRUE(row[field].is_number_unsigned()) << field;
        }
        const json& work = row["work_ns"];
        EXPECT_LE(work["p50"], work["p99"]);
        EXPECT_LE(work["p99"], work["p999"]);
        EXPECT_LE(work["p999"], work["max"]);
        std::uint64_t counted = 0;
        for (const json& bucket : row["work_histogram_ns"])
            counted += bucket[1].get<std::uint64_t>();
        EXPECT_EQ(counted, row["periods"]);
        EXPECT_EQ(row["periods"].get<int>() + row["missed_periods"].get<int>(), 300);
    }
    for (const char* part : {"machine", "options", "workload", "pressure", "skipped", "notes"}) {
        EXPECT_TRUE(found.contains(part)) << part;
    }
}

TEST_F(SerialDemo, ReportFitsEightyColumnsInAnyLocale) {
    const tool_result in_unicode = run({"--no-pressure", "--capacity", "4MiB", "--histogram"});
    EXPECT_LE(widest_line(in_unicode.output), 80U) << in_unicode.output;
    EXPECT_THAT(in_unicode.output, Not(HasSubstr("\033"))) << "no colours but on a terminal";
    const tool_result in_ascii =
        run_tool({"demo", "-D", "20ms", "--no-pressure", "--capacity", "4MiB", "--input", "input"},
                 {.folder = folder.path(), .environment = {"LC_ALL=C"}});
    for (const char character : in_ascii.output)
        ASSERT_LT(static_cast<unsigned char>(character), 128);
}

} // namespace
} // namespace resident::test
