// Concerns: that every call of a program is in its trace, once and in order, whatever functions and
// threads it uses, whatever processes it starts and however it ends; that the program runs as it
// would alone.
// Plan: a program that counts its own calls is recorded, and its counts are compared with the
// trace's.

#include "tool/recorded_session.hpp"

namespace resident {
namespace {

using namespace test;
using trace::process_end;

TEST(Record, EveryFunctionIsRecordedOnce) {
    const recorded_session session({"functions", "50"});
    ASSERT_EQ(session.result.exit_code, 0) << session.result.diagnostics;
    const read_trace read(session.file());
    expect_whole(read);
    const counted_calls_of told = told_by(session.result.output);
    EXPECT_EQ(told.allocations, 50U * 14);
    EXPECT_EQ(read.counted, told);
    EXPECT_EQ(read.header.failed_calls, 50U * 4);
    EXPECT_EQ(read.header.end, process_end::exited);
    EXPECT_TRUE(session.others().empty());
    EXPECT_LE(widest_line(session.result.diagnostics), 79U);
}

TEST(Record, ManyBlocksOfTheFileAreFilled) {
    const recorded_session session({"pairs", "200000"});
    const read_trace read(session.file());
    expect_whole(read);
    EXPECT_EQ(read.counted, told_by(session.result.output));
    EXPECT_EQ(read.counted.allocations, 200'000U);
    EXPECT_LT(read.header.file_bytes, 400'000U * 12);
}

TEST(Record, ThreadsByTheHundredLoseNothing) {
    const recorded_session session({"threads", "300", "100"});
    const read_trace read(session.file());
    expect_whole(read);
    EXPECT_EQ(read.counted, told_by(session.result.output));
    EXPECT_EQ(read.counted.allocations, 30'000U);
    EXPECT_EQ(read.header.threads, 301U);
}

TEST(Record, BlocksThatThreadsPassOnAndMoveAreInOrder) {
    const recorded_session session({"passing", "8", "20000"});
    const read_trace read(session.file());
    expect_whole(read);
    EXPECT_EQ(read.counted, told_by(session.result.output));
    EXPECT_GT(read.counted.reallocations, 10'000U);
}

TEST(Record, WhatADestructorOfAThreadFreesLastIsRecorded) {
    const recorded_session session({"late", "20"});
    const read_trace read(session.file());
    expect_whole(read);
    EXPECT_EQ(read.counted, told_by(session.result.output));
    EXPECT_EQ(read.counted.allocations, 20U * 4);
    EXPECT_EQ(read.header.threads, 21U);
}

TEST(Record, AThreadThatNeverAllocatesIsThere) {
    const recorded_session session({"idle"});
    const read_trace read(session.file());
    expect_whole(read);
    EXPECT_EQ(read.header.threads, 2U);
}

TEST(Record, AForkedChildHasATraceOfItsOwn) {
    const recorded_session session({"fork", "100"});
    ASSERT_EQ(session.others().size(), 1U);
    const read_trace parent(session.file());
    const read_trace child(session.others().front());
    expect_whole(parent);
    expect_whole(child);
    EXPECT_EQ(parent.counted, told_by(session.result.output, 1));
    // The child's 100 frees are of its parent's blocks: they are there, but of unknown size.
    EXPECT_EQ(told_by(session.result.output, 0).frees, 300U);
    EXPECT_EQ(child.counted, (counted_calls_of{200, 200, 0}));
    EXPECT_GE(child.live.foreign(), 100U);
    EXPECT_EQ(child.header.parent_process, parent.header.process);
}

TEST(Record, AProgramThatGoesOnAsAnotherHasATraceForEach) {
    const recorded_session session({"exec", "40"});
    ASSERT_EQ(session.others().size(), 1U);
    const read_trace before(session.file());
    const read_trace after(session.others().front());
    expect_whole(before);
    expect_whole(after);
    EXPECT_EQ(before.counted, told_by(session.result.output, 0));
    EXPECT_EQ(after.counted, told_by(session.result.output, 1));
    EXPECT_EQ(before.header.process, after.header.process);
    EXPECT_EQ(before.header.end, process_end::replaced);
    EXPECT_EQ(before.header.end_value, 0U);
    EXPECT_EQ(after.header.end, process_end::exited);
}

TEST(Record, TheExitCodeIsThatOfTheLastProgramThatTheProcessWas) {
    const recorded_session session({"exec", "40", "code", "9"});
    EXPECT_EQ(session.result.exit_code, 9);
    ASSERT_EQ(session.others().size(), 1U);
    const trace::trace_header before = read_trace(session.file()).header;
    const trace::trace_header after = read_trace(session.others().front()).header;
    EXPECT_EQ(before.end, process_end::replaced);
    EXPECT_EQ(before.end_value, 0U);
    EXPECT_EQ(after.end, process_end::exited);
    EXPECT_EQ(after.end_value, 9U);
}

TEST(Record, ASpawnedProgramHasATraceOfItsOwn) {
    const recorded_session session({"spawn"});
    ASSERT_EQ(session.others().size(), 1U);
    const read_trace child(session.others().front());
    expect_whole(child);
    EXPECT_EQ(child.counted, (counted_calls_of{20, 20, 0}));
}

TEST(Record, AProgramThatClosesEveryDescriptorIsRecordedOn) {
    const scratch_folder elsewhere;
    elsewhere.write("other", "untouched");
    const recorded_session session({"close", "50000", elsewhere.file("other")});
    const read_trace read(session.file());
    expect_whole(read);
    EXPECT_EQ(read.counted, told_by(session.result.output));
    EXPECT_EQ(read.counted.allocations, 50'000U);
    EXPECT_EQ(read_text(elsewhere.file("other")), "untouched");
}

// Ends that no program can prepare for.
struct end_case {
    const char* how;
    int exit_code;
    process_end end;
    std::uint32_t value;
};
class RecordEnd : public testing::TestWithParam<end_case> {};

TEST_P(RecordEnd, LosesNothing) {
    const end_case& expected = GetParam();
    const recorded_session session({"end", expected.how, "3000"});
    EXPECT_EQ(session.result.exit_code, expected.exit_code) << session.result.diagnostics;
    const read_trace read(session.file());
    expect_whole(read);
    EXPECT_EQ(read.counted, (counted_calls_of{3001, 3000, 0}));
    EXPECT_EQ(read.header.end, expected.end);
    EXPECT_EQ(read.header.end_value, expected.value);
}

INSTANTIATE_TEST_SUITE_P(
    Ways, RecordEnd,
    testing::Values(end_case{"abort", 128 + SIGABRT, process_end::signalled, SIGABRT},
                    end_case{"fault", 128 + SIGSEGV, process_end::signalled, SIGSEGV},
                    end_case{"kill", 128 + SIGKILL, process_end::signalled, SIGKILL},
                    end_case{"_exit", 3, process_end::exited, 3},
                    end_case{"quick_exit", 4, process_end::exited, 4},
                    end_case{"handler", 42, process_end::exited, 42}),
    [](const auto& chosen) {
        const std::string how = chosen.param.how;
        return how == "_exit" ? std::string("exit_at_once") : how;
    });

TEST(Record, TheExitCodeIsPassedOn) {
    EXPECT_EQ(recorded_session({"code", "0"}).result.exit_code, 0);
    EXPECT_EQ(recorded_session({"code", "9"}).result.exit_code, 9);
}

TEST(Record, TheArgumentsArePassedOnAsTheyAre) {
    const scratch_folder folder;
    for (const bool marked : {true, false}) {
        std::vector<std::string> arguments{"record", "-q", "--output", folder.file("trace")};
        if (marked)
            arguments.emplace_back("--");
        for (const char* word : {"printf", "<%s>", "-o", "", "--", "a b", "-q", "--help"})
            arguments.emplace_back(word);
        const tool_result result = run_tool(arguments);
        EXPECT_EQ(result.output, "<-o><><--><a b><-q><--help>");
        EXPECT_EQ(result.diagnostics, "");
        EXPECT_EQ(read_trace(folder.file("trace")).header.command,
                  "printf <%s> -o  -- a b -q --help");
    }
}

TEST(Record, ASignalIsPassedOn) {
    const scratch_folder folder;
    running_tool tool({"record", "-o", folder.file("trace"), "--", RESIDENT_RECORDED_PROGRAM, "end",
                       "wait", "10"});
    // Until the program has told its counts, it may not be there yet.
    while (!std::filesystem::exists(folder.file("trace")) ||
           read_trace(folder.file("trace")).counted.allocations < 11)
        ::usleep(1000);
    tool.send(SIGTERM);
    EXPECT_EQ(tool.wait().exit_code, 128 + SIGTERM);
    const read_trace read(folder.file("trace"));
    expect_whole(read);
    EXPECT_EQ(read.header.end_value, static_cast<std::uint32_t>(SIGTERM));
}

} // namespace
} // namespace resident
