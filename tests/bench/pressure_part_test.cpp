// The pressure benchmark: what it tells the report, with pressure and without, and that a run which
// is ended in the middle leaves no cgroup, no swap and no process.
#include "bench/part_of.hpp"
#include "support/build.hpp"
#include "tool/traces.hpp"

#include <gtest/gtest.h>

namespace resident::test {
namespace {

using nlohmann::json;

const std::set<std::string> arena_rows{"resident pool (pmr)", "resident, two threads"};

/// The four tables of one size, with their units and columns, and the curve.
void expect_tables(const json& part, const std::string& key) {
    const struct {
        const char* key;
        const char* unit;
        std::vector<std::string> columns;
    } promised[] = {{"faults", "page faults", {"minor", "major"}},
                    {"times", "ns", {"p50", "p99", "p99.9", "max"}},
                    {"periods", "periods", {"missed", "measured"}},
                    {"locked", "MiB", {"locked"}}};
    for (const auto& each : promised) {
        const json* table = find_table(part, key + "-" + each.key);
        ASSERT_NE(table, nullptr) << each.key << part.dump(1).substr(0, 4000);
        EXPECT_EQ((*table)["unit"], each.unit);
        EXPECT_EQ((*table)["columns"], json(each.columns));
        EXPECT_FALSE((*table)["bias"].get<std::string>().empty());
    }
    ASSERT_EQ(part["curves"].size(), 1U);
    const json& curve = part["curves"][0];
    EXPECT_EQ(curve["key"], key);
    EXPECT_EQ(curve["unit"], "ns");
    EXPECT_EQ(curve["charts"], json({"steps", "percentiles"}));
    for (const json& series : curve["series"]) {
        std::uint64_t counted = 0;
        for (const json& bucket : series["buckets"])
            counted += bucket[2].get<std::uint64_t>();
        EXPECT_EQ(counted, series["total"]) << series["contestant"];
        EXPECT_TRUE(series["minor_faults"].is_number_unsigned());
    }
}

/// No fault on the arena, and every period either measured or missed.
void expect_faultless_arena(const json& part, const std::string& key, int periods) {
    const json* faults = find_table(part, key + "-faults");
    const json* kept = find_table(part, key + "-periods");
    for (const std::string& row : arena_rows) {
        for (const char* kind : {"minor", "major"})
            EXPECT_EQ((*find_cell(*faults, row, kind))["value"], 0.0) << row << ", " << kind;
        EXPECT_EQ((*find_cell(*kept, row, "missed"))["value"].get<double>() +
                      (*find_cell(*kept, row, "measured"))["value"].get<double>(),
                  periods);
    }
}

class SerialPressurePart : public testing::Test {
protected:
    void SetUp() override {
        if (sanitized)
            GTEST_SKIP() << "a sanitizer's shadow memory faults in the measured loop";
    }
};

TEST_F(SerialPressurePart, TellsFaultsTimesPeriodsAndLockedMemoryBesideAHog) {
    if (const std::string why = why_no_pressure(); !why.empty())
        GTEST_SKIP() << why;
    const auto [said, part] =
        run_benchmark("bench_pressure", {"--capacity", "1MiB", "-D", "100ms"});
    ASSERT_EQ(said.exit_code, 0) << said.diagnostics;
    EXPECT_LE(widest_line(said.output), 80U) << said.output;
    EXPECT_EQ(part["part"], "pressure");
    EXPECT_EQ(part["status"], "measured");
    expect_tables(part, "pressure-1MiB");
    expect_faultless_arena(part, "pressure-1MiB", 100);
    const json* on_malloc = find_cell(*find_table(part, "pressure-1MiB-faults"), "malloc", "major");
    EXPECT_GT((*on_malloc)["value"], 0.0) << "there was no pressure";
    EXPECT_TRUE(has_note(part, "a memory cgroup of 34 MiB that a hog of 34 MiB fills"));
}

TEST_F(SerialPressurePart, SaysWhatAnOrdinaryUserCannotDoAndMeasuresTheRest) {
    if (!is_root())
        GTEST_SKIP() << "needs root to become another user";
    const auto [said, part] = run_benchmark("bench_pressure", {"-D", "50ms"}, true);
    ASSERT_EQ(said.exit_code, 0) << said.diagnostics;
    EXPECT_EQ(part["status"], "measured");
    expect_tables(part, "without-pressure-4MiB");
    expect_faultless_arena(part, "without-pressure-4MiB", 50);
    EXPECT_TRUE(has_note(part, "only root may make a memory cgroup and swap"));
    EXPECT_TRUE(has_note(part, "Arena of 8 MiB: not measured: the memlock limit leaves 8 MiB"));
    EXPECT_NE(part["curves"][0]["title"].get<std::string>().find("WITHOUT a memory hog"),
              std::string::npos)
        << "no figure without pressure may pass for one with it";
    const json* locked_all =
        find_cell(*find_table(part, "without-pressure-4MiB-times"), "mlockall + one arena", "max");
    EXPECT_EQ((*locked_all)["text"], "not measured") << "it cannot fit, and must not be hidden";
}

TEST_F(SerialPressurePart, IsNotMeasuredWhereNothingFits) {
    if (!is_root())
        GTEST_SKIP() << "needs root for a limit that is none, and so reaches the check";
    const auto [said, part] = run_benchmark("bench_pressure", {"--capacity", "1048576GiB"});
    EXPECT_EQ(said.exit_code, 0) << said.diagnostics;
    EXPECT_EQ(part["status"], "not measured");
    EXPECT_NE(part["reason"].get<std::string>().find("more than a quarter"), std::string::npos)
        << part["reason"];
}

TEST_F(SerialPressurePart, LeavesNoTraceWhenItIsEndedInTheMiddle) {
    if (const std::string why = why_no_pressure(); !why.empty())
        GTEST_SKIP() << why;
    const scratch_folder folder;
    running_tool run({"--capacity", "8MiB", "-D", "10s", "--json", "part.json"},
                     benchmark_options("bench_pressure", folder.path()));
    const traces made = traces_under_pressure(run);
    run.send(SIGTERM);
    const tool_result result = run.wait();
    EXPECT_EQ(result.signal, SIGTERM) << "whoever started it must see why it ended";
    EXPECT_NE(result.diagnostics.find("the machine is as it was before"), std::string::npos);
    expect_machine_as_before(made);
    EXPECT_TRUE(folder.content().empty()) << "half a part file";
}

} // namespace
} // namespace resident::test
