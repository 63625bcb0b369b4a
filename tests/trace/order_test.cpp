// Concerns: that reallocations are told where they must have happened; that numbers nobody wrote
// are told apart: calls under way at the end, and losses.

#include "trace/block_index.hpp"
#include "trace/live_blocks.hpp"
#include "trace/made_up.hpp"
#include "trace/made_up_file.hpp"
#include "trace/seal.hpp"

namespace resident::trace {
namespace {

using namespace test;

class TraceOrder : public testing::Test {
protected:
    std::vector<event> read_sealed() {
        made_.write(file_);
        const auto wrong = seal(file_, process_end::exited, 0);
        EXPECT_FALSE(wrong) << wrong->message();
        return events_of(file_);
    }
    trace_header header() { return std::get<0>(reader::open(file_)).header(); }

    trace_folder folder_;
    std::string file_ = folder_.file("trace");
    made_up_file made_;
};

bool consistent(const std::vector<event>& events) {
    live_blocks live;
    for (const event& each : events)
        live.follow(each);
    return live.doubly_given() == 0 && live.foreign() == 0;
}

TEST_F(TraceOrder, AnAddressThatAReallocationGaveUpIsAnothersBeforeItReturned) {
    made_.add(0, 0, {allocate(0, 0x1000), reallocate(1, 4, 0x1000, 0x2000)});
    made_.add(1, 2, {allocate(2, 0x1000), free_of(3, 0x1000)});
    const std::vector<event> events = read_sealed();
    EXPECT_TRUE(consistent(events));
    ASSERT_EQ(events.size(), 6U);
    EXPECT_EQ(events[2].kind, event_kind::reallocate);
    EXPECT_EQ(header().reallocations, 1U);
}

TEST_F(TraceOrder, AnAddressThatAReallocationTookWasAnothersWhenItBegan) {
    made_.add(0, 0, {allocate(0, 0x1000), reallocate(2, 4, 0x1000, 0x2000)});
    made_.add(1, 1, {allocate(1, 0x2000), free_of(3, 0x2000)});
    const std::vector<event> events = read_sealed();
    EXPECT_TRUE(consistent(events));
    EXPECT_EQ(events.back().kind, event_kind::reallocate);
}

TEST_F(TraceOrder, ReallocationsThatHandAddressesOnAreToldAlongTheChain) {
    made_.add(0, 0, {allocate(0, 0x1000), reallocate(3, 9, 0x1000, 0x4000)});
    made_.add(1, 1, {allocate(1, 0x2000), reallocate(4, 8, 0x2000, 0x1000)});
    made_.add(2, 2, {allocate(2, 0x3000), reallocate(5, 7, 0x3000, 0x2000)});
    made_.add(3, 6, {allocate(6, 0x3000)});
    const std::vector<event> events = read_sealed();
    EXPECT_TRUE(consistent(events));
    EXPECT_EQ(count(events, event_kind::reallocate), 3U);
}

TEST_F(TraceOrder, ANumberOfAThreadThatWroteNoMoreWasUnderWay) {
    made_.add(0, 0, {allocate(0, 0x1000), free_of(3, 0x1000)});
    made_.add(1, 1, {allocate(1, 0x2000)});
    read_sealed();
    EXPECT_EQ(header().calls_under_way, 1U);
    EXPECT_EQ(header().lost_records, 0U);
    EXPECT_TRUE(header().complete);
}

TEST_F(TraceOrder, AnyOtherNumberThatIsMissingIsALoss) {
    made_.add(0, 0, {allocate(0, 0x1000), free_of(2, 0x1000)});
    read_sealed();
    EXPECT_EQ(header().lost_records, 1U);
    EXPECT_FALSE(header().complete);
}

TEST_F(TraceOrder, AThreadEndsBehindItsLastRecord) {
    made_.add(0, 0,
              {{.kind = record_kind::thread_begin, .number = 0, .last_number = 0},
               allocate(1, 0x1000),
               {.kind = record_kind::thread_end, .number = 2, .last_number = 2},
               free_of(3, 0x1000)});
    const std::vector<event> events = read_sealed();
    ASSERT_EQ(events.size(), 4U);
    EXPECT_EQ(events[2].kind, event_kind::free);
    EXPECT_EQ(events[3].kind, event_kind::thread_end);
    EXPECT_EQ(header().threads, 1U);
}

TEST_F(TraceOrder, AnOpenTraceIsReadAndSaysThatItIsNotComplete) {
    made_.add(0, 0, {allocate(0, 0x1000)});
    made_.content.resize(3 * block_unit); // reserved, and never begun
    made_.write(file_);
    EXPECT_EQ(events_of(file_).size(), 2U);
    EXPECT_FALSE(header().complete);
    EXPECT_FALSE(header().sealed);
    EXPECT_FALSE(seal(file_, process_end::signalled, 9));
    EXPECT_TRUE(header().complete);
    EXPECT_EQ(header().end_value, 9U);
    EXPECT_EQ(std::filesystem::file_size(file_), 2 * block_unit);
}

TEST_F(TraceOrder, WhatIsReservedStaysIfItMayBeMapped) {
    made_.add(0, 0, {allocate(0, 0x1000)});
    made_.content.resize(3 * block_unit);
    made_.write(file_);
    EXPECT_FALSE(seal(file_, process_end::exited, 0, unused_space::kept));
    EXPECT_EQ(std::filesystem::file_size(file_), 4 * block_unit);
    EXPECT_TRUE(header().complete);
    EXPECT_EQ(header().file_bytes, 4 * block_unit);
    EXPECT_EQ(events_of(file_).size(), 2U);
}

TEST_F(TraceOrder, AProcessThatToldOfItsExitWasNotReplaced) {
    made_.add(0, 0, {allocate(0, 0x1000)});
    made_.header.end = 1;
    made_.header.end_value = 3;
    made_.write(file_);
    EXPECT_FALSE(seal(file_, process_end::replaced, 0));
    EXPECT_EQ(header().end, process_end::exited);
    EXPECT_EQ(header().end_value, 3U);
}

} // namespace
} // namespace resident::trace
