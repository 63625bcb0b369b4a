// Concerns: that a call which is interrupted by a signal costs no other call its place in the
// trace, whether the handler allocates, forks or jumps: all are recorded, or counted as missing.
// Plan: an allocator raises the signal amid its calls; beside, a timer has it come anywhere.

#include "tool/recorded_session.hpp"

namespace resident {
namespace {

using namespace test;

constexpr unsigned long in_handler = 10; ///< pairs of calls

struct interrupted_session : recorded_session {
    explicit interrupted_session(std::vector<std::string> arguments)
        : recorded_session(std::move(arguments), {}, RESIDENT_INTERRUPTED_PROGRAM) {}
};

/// Nothing is missing without being counted, in a trace that says that it is complete.
void expect_honest(const read_trace& read) {
    EXPECT_EQ(read.failure, "");
    EXPECT_EQ(read.live.doubly_given(), 0U);
    EXPECT_EQ(read.header.complete,
              read.header.unrecorded_calls == 0 && read.header.lost_records == 0);
}

/// Neither the parent's trace nor the child's own has a call of the other.
void expect_a_child_with_a_trace(const interrupted_session& session) {
    EXPECT_EQ(session.result.exit_code, 0) << session.result.diagnostics;
    ASSERT_EQ(session.others().size(), 1U);
    const read_trace parent(session.file());
    const read_trace child(session.others().front());
    expect_whole(parent);
    expect_whole(child);
    EXPECT_EQ(parent.counted, told_by(session.result.output));
    EXPECT_EQ(child.counted, (counted_calls_of{1025, 1025, 0}));
}

class RecordInterrupted : public testing::TestWithParam<const char*> {};

TEST_P(RecordInterrupted, WhatAHandlerAllocatesIsRecorded) {
    const interrupted_session session({GetParam(), "allocate", "100"});
    EXPECT_EQ(session.result.exit_code, 0) << session.result.diagnostics;
    const read_trace read(session.file());
    expect_whole(read);
    EXPECT_EQ(read.counted, told_by(session.result.output));
    EXPECT_EQ(read.counted.allocations, 1 + 2 + in_handler + 100);
}

TEST_P(RecordInterrupted, WhatComesAfterAJumpIsRecorded) {
    const interrupted_session session({GetParam(), "jump", "1000"});
    EXPECT_EQ(session.result.exit_code, 0) << session.result.diagnostics;
    const read_trace read(session.file());
    expect_whole(read);
    EXPECT_EQ(read.counted, told_by(session.result.output));
    EXPECT_EQ(read.counted.allocations, 1U + 1 + 1000);
}

TEST_P(RecordInterrupted, AChildOfAHandlerGoesOnInATraceOfItsOwn) {
    expect_a_child_with_a_trace(interrupted_session({GetParam(), "fork", "1000"}));
}

INSTANTIATE_TEST_SUITE_P(Calls, RecordInterrupted, testing::Values("malloc", "calloc", "none"),
                         [](const auto& chosen) { return std::string(chosen.param); });

// A reallocation has a number that waits for its record.

class RecordInterruptedReallocation : public testing::TestWithParam<const char*> {};

TEST_P(RecordInterruptedReallocation, WhatAHandlerAllocatesIsCounted) {
    const interrupted_session session({"realloc", GetParam(), "100"});
    EXPECT_EQ(session.result.exit_code, 1) << session.result.diagnostics;
    const read_trace read(session.file());
    expect_honest(read);
    EXPECT_EQ(read.header.unrecorded_calls, 2 * in_handler);
    EXPECT_EQ(read.header.lost_records, 0U);
    counted_calls_of expected = told_by(session.result.output);
    expected.allocations -= in_handler;
    expected.frees -= in_handler;
    EXPECT_EQ(read.counted, expected);
    EXPECT_EQ(expected.reallocations, 1U);
}

INSTANTIATE_TEST_SUITE_P(Stacks, RecordInterruptedReallocation,
                         testing::Values("allocate", "elsewhere"),
                         [](const auto& chosen) { return std::string(chosen.param); });

TEST(RecordInterruptedMove, WhatComesAfterAJumpIsRecordedAndTheJumpIsCounted) {
    const interrupted_session session({"realloc", "jump", "1000"});
    EXPECT_EQ(session.result.exit_code, 1) << session.result.diagnostics;
    const read_trace read(session.file());
    expect_honest(read);
    EXPECT_EQ(read.header.unrecorded_calls, 1U);
    EXPECT_EQ(read.header.lost_records, 1U);
    EXPECT_EQ(read.counted, told_by(session.result.output));
    EXPECT_EQ(read.counted.allocations, 1U + 1 + 1000);
}

TEST(RecordInterruptedMove, AChildOfAHandlerGoesOnInATraceOfItsOwn) {
    expect_a_child_with_a_trace(interrupted_session({"realloc", "fork", "1000"}));
}

// Anywhere, also while a record is written.

TEST(RecordInterruptedAnywhere, ACallOfAHandlerIsRecordedOrCounted) {
    const interrupted_session session({"timer", "allocate", "1000"});
    const read_trace read(session.file());
    expect_honest(read);
    EXPECT_EQ(read.header.lost_records, 0U);
    counted_calls_of expected = told_by(session.result.output);
    expected.allocations -= read.header.unrecorded_calls / 2;
    expected.frees -= read.header.unrecorded_calls / 2;
    EXPECT_EQ(read.counted, expected);
}

TEST(RecordInterruptedAnywhere, WhatComesAfterManyJumpsIsRecorded) {
    const interrupted_session session({"jumps", "jump", "1000"});
    const read_trace read(session.file());
    expect_honest(read);
    EXPECT_EQ(read.counted, told_by(session.result.output));
    EXPECT_EQ(read.counted.allocations, 1U + 1 + 1000);
    EXPECT_LE(read.header.unrecorded_calls, 200U) << "one for each jump, if it was amid a record";
    EXPECT_LE(read.header.lost_records, read.header.unrecorded_calls);
}

TEST(RecordInterruptedAnywhere, AChildOfAHandlerGoesOnInATraceOfItsOwn) {
    const interrupted_session session({"timer", "fork", "1000"});
    EXPECT_EQ(session.result.exit_code, 0) << session.result.diagnostics;
    const read_trace parent(session.file());
    expect_whole(parent);
    EXPECT_EQ(parent.counted, told_by(session.result.output));
    const std::vector<std::string> children = session.others();
    EXPECT_EQ(children.size(), 40U);
    for (const std::string& each : children) {
        const read_trace child(each);
        expect_whole(child);
        EXPECT_GE(child.counted.allocations, 1025U);
    }
}

// The loader's own allocations.

TEST(RecordInterruptedSearch, AReallocationThatComesBeforeTheAllocatorIsFoundIsServed) {
    const recorded_session session({}, {}, RESIDENT_EARLY_PROGRAM);
    EXPECT_EQ(session.result.exit_code, 0) << session.result.diagnostics;
    EXPECT_EQ(session.result.output, "early\n");
}

} // namespace
} // namespace resident
