// Concerns: that what is written is read, event by event; that memory is bounded; that the header's
// totals are those of the events.
// Plan: made-up programs of several threads go through the writer and the reader.

#include "trace/made_up.hpp"
#include "trace/reader.hpp"
#include "trace/record_decoder.hpp"
#include "trace/record_encoder.hpp"
#include "trace/writer.hpp"

#include <gtest/gtest.h>

#include <random>

namespace resident::trace {
namespace {

using test::events_of;
using test::made_up_events;
using test::trace_folder;
using test::write_trace;

TEST(TraceRecords, AreReadAsTheyWereWritten) {
    std::array<unsigned char, 4096> space{};
    const std::array<record, 9> written{{
        {.kind = record_kind::thread_begin, .number = 7, .last_number = 7},
        {.kind = record_kind::allocate, .number = 8, .last_number = 8, .address = 0x5555'0010},
        {.kind = record_kind::allocate,
         .number = 39,
         .last_number = 39,
         .address = 0x7fff'ffff'fff8,
         .size = size_limit},
        {.kind = record_kind::allocate_aligned,
         .number = 71,
         .last_number = 71,
         .address = 1,
         .size = 127,
         .alignment_bits = alignment_bits_limit},
        {.kind = record_kind::free, .number = 72, .last_number = 72, .address = address_limit - 1},
        {.kind = record_kind::reallocate,
         .number = 1000,
         .last_number = 1001,
         .address = 4096,
         .old_address = 4097,
         .size = 128},
        {.kind = record_kind::reallocate,
         .number = 1002,
         .last_number = 100'000,
         .address = 8,
         .old_address = 8,
         .size = 0},
        {.kind = record_kind::failed,
         .number = number_limit - 2,
         .last_number = number_limit - 2,
         .size = ~std::uint64_t{0}},
        {.kind = record_kind::thread_end,
         .number = number_limit - 1,
         .last_number = number_limit - 1},
    }};
    record_encoder encoder(space.data(), space.size(), 7);
    for (const record& each : written)
        encoder.append(each);
    record_decoder decoder(7);
    std::span<const unsigned char> rest(space);
    for (const record& each : written) {
        record read;
        const std::size_t taken = decoder.decode(rest, read);
        ASSERT_NE(taken, 0U) << decoder.reason();
        EXPECT_EQ(read, each) << "number " << each.number;
        rest = rest.subspan(taken);
    }
    record last;
    EXPECT_EQ(decoder.decode(rest, last), 1U);
    EXPECT_EQ(last.kind, record_kind::end);
}

TEST(TraceRecords, ADistanceOfAnySizeComesBack) {
    std::mt19937_64 random(1);
    for (unsigned bits = 1; bits <= 57; ++bits)
        for (int times = 0; times < 100; ++times) {
            const std::uint64_t to = random() >> (64 - bits);
            const std::uint64_t from = random() >> 7;
            ASSERT_EQ(unfold_distance(fold_distance(to, from), from), to);
            ASSERT_EQ(unfold_distance(fold_distance(from, to), to), from);
        }
    EXPECT_EQ(fold_distance(0x1010, 0x1000), 4U);
    EXPECT_EQ(fold_distance(0x1000, 0x1010), 3U);
}

TEST(TraceRoundTrip, EveryEventComesBackInOrder) {
    const trace_folder folder;
    const std::vector<event> written = made_up_events(20'000, 5, 1);
    write_trace(folder.file("trace"), written);
    const std::vector<event> read = events_of(folder.file("trace"));
    ASSERT_EQ(read.size(), written.size());
    for (std::size_t at = 0; at < read.size(); ++at)
        ASSERT_EQ(read[at], written[at]) << "event " << at;
}

TEST(TraceRoundTrip, TheHeaderTellsTheTotals) {
    const trace_folder folder;
    const std::vector<event> written = made_up_events(5'000, 3, 2);
    write_trace(folder.file("trace"), written);
    auto opened = reader::open(folder.file("trace"));
    ASSERT_EQ(opened.index(), 0U) << std::get<1>(opened).message();
    const trace_header& header = std::get<0>(opened).header();
    EXPECT_TRUE(header.complete);
    EXPECT_EQ(header.command, "made up");
    EXPECT_EQ(header.process, 42U);
    EXPECT_EQ(header.events, written.size());
    EXPECT_EQ(header.threads, 3U);
    EXPECT_EQ(header.allocations, test::count(written, event_kind::allocate));
    EXPECT_EQ(header.frees, test::count(written, event_kind::free));
    EXPECT_EQ(header.reallocations, test::count(written, event_kind::reallocate));
    EXPECT_EQ(header.end, process_end::exited);
    EXPECT_EQ(header.lost_records + header.calls_under_way, 0U);
}

TEST(TraceRoundTrip, WhatIsAboveTheLimitsIsNotTaken) {
    const trace_folder folder;
    std::string reason;
    auto made = writer::create(folder.file("trace"), {}, reason);
    ASSERT_TRUE(made) << reason;
    EXPECT_FALSE(made->append({.kind = event_kind::allocate, .address = 0, .size = 1}));
    EXPECT_FALSE(made->append({.kind = event_kind::free, .address = address_limit}));
    EXPECT_FALSE(
        made->append({.kind = event_kind::allocate, .address = 8, .size = size_limit + 1}));
    EXPECT_FALSE(made->append({.kind = event_kind::allocate, .address = 8, .alignment = 24}));
    EXPECT_FALSE(made->append({.kind = event_kind::reallocate, .address = 8, .size = 1}));
    EXPECT_FALSE(made->append({.kind = event_kind::free, .thread = thread_limit, .address = 8}));
    EXPECT_FALSE(made->finish());
    EXPECT_TRUE(events_of(folder.file("trace")).empty());
}

} // namespace
} // namespace resident::trace
