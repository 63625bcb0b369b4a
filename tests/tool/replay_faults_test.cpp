// That resident replay itself takes no page fault, whatever the threads of the trace: the control
// and the pool on its arena show none, in any run.
#include "replay/made_up_program.hpp"
#include "support/build.hpp"
#include "tool/run_tool.hpp"
#include "trace/made_up.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace resident::test {
namespace {

/// A repetition at a time, since the report has the median of them.
void expect_no_faults(const made_up_program& program) {
    const scratch_folder folder;
    const std::string path = folder.file("program.trace");
    write_trace(path, program.events);
    for (int run = 0; run < 5; ++run) {
        const tool_result result = run_tool({"replay", path, "-q", "-r", "1", "--samples", "0",
                                             "--no-verify", "-c", "empty", "-c", "resident",
                                             "--capacity", "8MiB", "--unlocked", "--json", "-"});
        ASSERT_EQ(result.exit_code, 0) << result.diagnostics << result.output;
        const auto report = nlohmann::json::parse(result.output);
        ASSERT_EQ(report["contestants"].size(), 2U);
        for (const auto& row : report["contestants"]) {
            EXPECT_EQ(row["minor_faults"], 0) << row["name"];
            EXPECT_EQ(row["major_faults"], 0) << row["name"];
        }
    }
}

class ReplayFaults : public testing::TestWithParam<std::uint32_t> {
protected:
    void SetUp() override {
        if (sanitized)
            GTEST_SKIP() << "a sanitizer's shadow memory faults";
    }
};

TEST_P(ReplayFaults, ThreadsThatStayMakeNone) {
    expect_no_faults(busy_program(10'000, GetParam(), 1));
}

/// Each begins after the end of the one before it, many in a chunk.
TEST_P(ReplayFaults, ThreadsThatComeAndGoMakeNone) {
    made_up_program program;
    program.begin(0);
    for (std::uint32_t thread = 1; thread <= 10 * GetParam(); ++thread) {
        program.begin(thread);
        for (int block = 0; block < 10; ++block)
            program.free(thread, program.allocate(0, 300));
        program.end(thread);
    }
    expect_no_faults(program);
}

INSTANTIATE_TEST_SUITE_P(Threads, ReplayFaults, testing::Values(2U, 3U, 40U));

} // namespace
} // namespace resident::test
