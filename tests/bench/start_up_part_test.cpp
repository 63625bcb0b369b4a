// The start-up benchmark: what it tells the report, what it says of ways that are refused, and that
// the pool of huge pages is as it was.
#include "bench/part_of.hpp"
#include "os/huge_page_pool.hpp"
#include "resident/size_literals.hpp"

#include <gtest/gtest.h>

namespace resident::test {
namespace {

using nlohmann::json;

std::uint64_t reserved_pages_now() { return os::read_huge_page_pool(2_MiB).total; }

TEST(SerialStartUpPart, TellsTimesAndFaultsOfEachWay) {
    const std::uint64_t reserved = reserved_pages_now();
    const auto [said, part] = run_benchmark("bench_start_up", {"--capacity", "4MiB"});
    ASSERT_EQ(said.exit_code, 0) << said.diagnostics;
    EXPECT_LE(widest_line(said.output), 80U) << said.output;
    EXPECT_EQ(part["part"], "start-up");
    EXPECT_EQ(part["status"], "measured");
    for (const auto& [key, unit] : {std::pair{"start-up-time", "ms"},
                                    {"start-up-first-use", "ms"},
                                    {"start-up-faults", "page faults"},
                                    {"start-up-reserving", "ms"}}) {
        const json* table = find_table(part, key);
        ASSERT_NE(table, nullptr) << key;
        EXPECT_EQ((*table)["unit"], unit);
        EXPECT_EQ((*table)["columns"], json({"4 MiB"}));
        EXPECT_FALSE((*table)["bias"].get<std::string>().empty());
    }
    const json* faults = find_table(part, "start-up-faults");
    const json* touched = find_cell(*faults, "mmap, touch", "4 MiB");
    ASSERT_NE(touched, nullptr);
    EXPECT_EQ((*touched)["samples"].size(), 3U) << "every repetition is recorded";
    EXPECT_GT((*touched)["value"], 0.0);
    const json* huge = find_cell(*faults, "resident huge_2M", "4 MiB");
    const json* base = find_cell(*faults, "resident base", "4 MiB");
    if (huge->contains("value") && base->contains("value")) {
        EXPECT_LT((*huge)["value"], (*base)["value"]) << "two huge pages are 1 024 small ones";
    }
    EXPECT_EQ(reserved_pages_now(), reserved);
}

TEST(SerialStartUpPart, SaysWhatAnOrdinaryUserIsRefusedAndMeasuresTheRest) {
    if (!is_root())
        GTEST_SKIP() << "needs root to become another user";
    const auto [said, part] = run_benchmark("bench_start_up", {"--capacity", "16MiB"}, true);
    ASSERT_EQ(said.exit_code, 0) << said.diagnostics;
    EXPECT_EQ(part["status"], "measured");
    const json& times = *find_table(part, "start-up-time");
    EXPECT_TRUE(find_cell(times, "mmap, touch", "16 MiB")->contains("value"));
    for (const char* row : {"mmap, mlock", "resident base", "resident transparent_huge"})
        EXPECT_EQ((*find_cell(times, row, "16 MiB"))["text"], "refused") << row;
    EXPECT_TRUE(has_note(part, "RLIMIT_MEMLOCK leaves 8 MiB")) << part["notes"].dump(1);
    EXPECT_TRUE(has_note(part, "mlock: Cannot allocate memory")) << part["notes"].dump(1);
    EXPECT_TRUE(find_cell(times, "resident base", "4 MiB")->contains("value"))
        << "a size that the limit permits is measured, too";
}

TEST(SerialStartUpPart, RefusesASizeThatNoArenaCanHave) {
    const auto run = run_benchmark("bench_start_up", {"--capacity", "5"});
    EXPECT_EQ(run.said.exit_code, 2);
    EXPECT_NE((run.said.diagnostics + run.said.output).find("'5'"), std::string::npos)
        << run.said.diagnostics;
}

} // namespace
} // namespace resident::test
