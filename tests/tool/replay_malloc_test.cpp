// The mallocs that resident replay runs a trace on: that each is the one it is called, prepared as
// programs prepare it, and that one which ends its process is no missing one.
#include "replay/made_up_program.hpp"
#include "support/build.hpp"
#include "tool/run_tool.hpp"
#include "trace/written.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace resident::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class ReplayMalloc : public testing::Test {
protected:
    void write(const made_up_program& program) { write_trace(path, program.events); }

    scratch_folder folder;
    std::string path = folder.file("program.trace");
};

TEST_F(ReplayMalloc, WhoEndsAmongTheFirstEventsIsBroken) {
    if (sanitized)
        GTEST_SKIP() << "malloc is the sanitizer's";
    write(busy_program(20'000, 1, 11));
    for (const char* verify : {"--quiet", "--no-verify"}) {
        const tool_result said =
            run_tool({"replay", path, "--json", "-", "-q", "-r", "1", "--samples", "0", "-c",
                      "mimalloc", verify},
                     {.environment = {"LD_LIBRARY_PATH=" RESIDENT_ENDING_MALLOC}});
        EXPECT_EQ(said.exit_code, 1) << "it is not merely missing";
        const json report = json::parse(said.output, nullptr, false);
        ASSERT_EQ(report["contestants"].size(), 1U) << said.output;
        EXPECT_THAT(report["contestants"][0]["broken"], HasSubstr("ended with exit code 3"));
    }
}

/// malloc as real-time programs prepare it has its heap before the first event.
TEST_F(ReplayMalloc, LockedMallocHasNoFaultsOnceItsHeapIsGrown) {
    if (sanitized)
        GTEST_SKIP() << "malloc is the sanitizer's";
    if (!is_root())
        GTEST_SKIP() << "needs root to lock more than the limit";
    for (const std::uint32_t threads : {1U, 3U}) {
        write(busy_program(20'000, threads, 10));
        const tool_result said = run_tool({"replay", path, "--json", "-", "-q", "-r", "1",
                                           "--samples", "0", "-c", "mlockall", "-c", "glibc"});
        const json report = json::parse(said.output, nullptr, false);
        ASSERT_EQ(report["contestants"].size(), 2U) << said.output << said.diagnostics;
        const json& locked = report["contestants"][0];
        EXPECT_EQ(locked["major_faults"], 0);
        EXPECT_LE(locked["minor_faults"], 10) << "of threads' stacks and their like";
        EXPECT_GT(report["contestants"][1]["minor_faults"], 50) << "without all that";
        EXPECT_FALSE(locked.contains("peak_held_bytes")) << "its heap is no larger than before";
        EXPECT_FALSE(locked.contains("fits"));
    }
}

/// One for the tool's own process would be the malloc of each contestant.
TEST_F(ReplayMalloc, APreloadOfTheToolIsNotThatOfItsContestants) {
    if (sanitized)
        GTEST_SKIP() << "malloc is the sanitizer's";
    write(busy_program(300, 1, 9));
    const auto median = [&](std::vector<std::string> environment) {
        const tool_result said = run_tool(
            {"replay", path, "--json", "-", "-q", "-r", "1", "--samples", "50", "-c", "glibc"},
            {.environment = std::move(environment)});
        const json report = json::parse(said.output, nullptr, false);
        return report["contestants"][0]["instructions"]["allocate"]["median"].dump();
    };
    EXPECT_EQ(median({"LD_PRELOAD=libjemalloc.so.2"}), median({}));
}

} // namespace
} // namespace resident::test
