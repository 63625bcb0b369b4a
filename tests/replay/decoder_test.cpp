// From events to operations: who waits for whom, which slots and workers are used again, what is
// left out and counted, and what is refused.
#include "replay/made_up_program.hpp"
#include "trace/format.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace resident::test {
namespace {

using replay::action;

/// The operations of a program in one chunk.
struct decoded {
    explicit decoded(made_up_program& program, std::size_t room = 4096)
        : operations(room), decoder(program), part{.operations = operations} {
        decoder.next(part);
    }

    std::vector<replay::operation> operations;
    replay::decoder decoder;
    replay::chunk part;
};

TEST(Decoder, KeepsTheOrderOfEachThread) {
    made_up_program program = busy_program(1000, 3, 1);
    decoded all(program);
    std::vector<std::uint32_t> heads(3, replay::no_operation);
    heads[0] = all.part.first[0];
    for (const auto& each : std::span(all.operations).first(all.part.count)) {
        if (each.kind == action::begin_thread)
            heads[each.worker] = each.slot;
    }
    std::size_t met = 0;
    for (const std::uint32_t head : heads) {
        std::uint32_t before = 0;
        for (std::uint32_t index = head; index != replay::no_operation;
             index = all.operations[index].next) {
            EXPECT_GE(index, before);
            before = index;
            ++met;
        }
    }
    EXPECT_EQ(met, all.part.count);
}

TEST(Decoder, WaitsWhereAnotherThreadHadTheBlockAndNowhereElse) {
    made_up_program program;
    program.begin(0);
    program.begin(1);
    const std::uint64_t own = program.allocate(0, 8);
    program.free(0, own);
    const std::uint64_t passed = program.allocate(0, 8);
    const std::uint64_t grown = program.reallocate(1, passed, 16);
    program.free(0, grown);
    decoded all(program);
    std::vector<std::pair<bool, bool>> marks;
    std::vector<std::uint32_t> turns;
    for (const auto& each : std::span(all.operations).first(all.part.count)) {
        if (each.kind == action::begin_thread)
            continue;
        marks.emplace_back(each.waits, each.publishes);
        turns.push_back(each.turn);
    }
    EXPECT_THAT(marks, testing::ElementsAre(std::pair(false, false), std::pair(false, false),
                                            std::pair(false, true), std::pair(true, true),
                                            std::pair(true, false)));
    EXPECT_THAT(turns, testing::ElementsAre(0, 0, 0, 1, 2));
}

TEST(Decoder, UsesSlotsAgainFromTheNextChunkOn) {
    made_up_program program;
    for (int block = 0; block < 1000; ++block)
        program.free(0, program.allocate(0, 8));
    std::vector<replay::operation> room(20);
    replay::chunk part{.operations = room};
    replay::decoder decoder(program);
    while (decoder.next(part)) {
        std::map<std::uint32_t, int> allocations;
        for (const auto& each : std::span(room).first(part.count)) {
            if (each.kind == action::allocate) {
                EXPECT_EQ(++allocations[each.slot], 1);
            }
        }
    }
    EXPECT_LE(decoder.most_slots(), 20U);
}

TEST(Decoder, UsesWorkersAgainAfterTheirEnd) {
    made_up_program program;
    program.begin(0);
    for (std::uint32_t thread = 1; thread <= 200; ++thread) {
        program.begin(thread);
        program.free(thread, program.allocate(thread, 8));
        program.end(thread);
    }
    std::string failure;
    const replay::trace_summary summary = replay::summarize(program, failure);
    EXPECT_EQ(summary.threads, 201U);
    EXPECT_EQ(summary.most_threads, 2U);
}

TEST(Decoder, CountsWhatTheTraceDoesNotExplain) {
    made_up_program program;
    const std::uint64_t block = program.allocate(0, 100);
    program.free(0, 0x1234'0000);
    program.reallocate(0, 0x4321'0000, 50);
    program.add({.kind = trace::event_kind::allocate, .thread = 0, .address = block, .size = 7});
    std::string failure;
    const replay::trace_summary summary = replay::summarize(program, failure);
    EXPECT_EQ(failure, "");
    EXPECT_EQ(summary.notes.unknown_frees, 1U);
    EXPECT_EQ(summary.notes.unknown_reallocations, 1U);
    EXPECT_EQ(summary.notes.implied_frees, 1U);
    EXPECT_EQ(summary.allocations, 3U);
    EXPECT_EQ(summary.frees, 1U);
    EXPECT_EQ(summary.events, 4U);
    EXPECT_EQ(summary.peak_bytes, 150U);
    EXPECT_EQ(summary.bytes_left, 57U);
    EXPECT_EQ(summary.blocks_left, 2U);
}

TEST(Decoder, TakesWhateverTheReaderOfAFileTakes) {
    made_up_program program;
    program.allocate(0, trace::size_limit);
    program.allocate(0, 8, std::uint64_t{1} << trace::alignment_bits_limit);
    decoded all(program);
    EXPECT_EQ(all.decoder.failure(), "");
    ASSERT_EQ(all.part.count, 2U);
    EXPECT_EQ(all.operations[0].size, trace::size_limit);
    EXPECT_EQ(all.operations[1].alignment_log2, trace::alignment_bits_limit);
}

TEST(Decoder, RefusesMoreInUseThanAnAddressSpaceNamingTheEvent) {
    made_up_program program;
    constexpr std::uint64_t most = trace::address_limit / trace::size_limit;
    for (std::uint64_t block = 0; block < 2 * most; ++block)
        program.free(0, program.allocate(0, trace::size_limit)); // never two at once
    std::uint64_t last = 0;
    for (std::uint64_t block = 0; block < most; ++block)
        last = program.allocate(0, trace::size_limit);
    program.reallocate(0, last, trace::size_limit);
    std::string failure;
    static_cast<void>(replay::summarize(program, failure));
    EXPECT_EQ(failure, "");

    program.rewind();
    program.allocate(0, 1);
    program.allocate(0, 1);
    const auto event = std::to_string(5 * most + 2);
    static_cast<void>(replay::summarize(program, failure));
    EXPECT_THAT(failure, testing::StartsWith("event " + event + ": blocks of 144115188075855873"));
}

/// What a recorder would have seen, kept the simple way.
TEST(Summary, PeakIsThatOfAnIndependentCount) {
    for (unsigned seed = 1; seed <= 2; ++seed) {
        made_up_program program = busy_program(150'000, 3, seed);
        std::map<std::uint64_t, std::uint64_t> live;
        std::uint64_t now = 0;
        std::uint64_t peak = 0;
        std::uint64_t peak_event = 0;
        std::uint64_t number = 0;
        for (const trace::event& each : program.events) {
            ++number;
            if (each.kind == trace::event_kind::free)
                now -= live.extract(each.address).mapped();
            if (each.kind == trace::event_kind::reallocate)
                now -= live.extract(each.old_address).mapped();
            if (each.kind == trace::event_kind::allocate ||
                each.kind == trace::event_kind::reallocate)
                now += live[each.address] = each.size;
            if (now > peak) {
                peak = now;
                peak_event = number;
            }
        }
        std::string failure;
        const replay::trace_summary summary = replay::summarize(program, failure);
        EXPECT_EQ(failure, "");
        EXPECT_EQ(summary.peak_bytes, peak);
        EXPECT_EQ(summary.peak_event, peak_event);
        EXPECT_EQ(summary.bytes_left, now);
        EXPECT_EQ(summary.blocks_left, live.size());
        EXPECT_EQ(summary.events, program.events.size());
    }
}

} // namespace
} // namespace resident::test
