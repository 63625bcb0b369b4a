// Concerns: an allocator that hands out memory it must not is caught before it is timed, and told
// by the operation and the addresses; memory that is not returned is told to the byte; none of the
// real contestants is accused.

#include "bench/known_contestants.hpp"
#include "contestants/all.hpp"
#include "contestants/concurrent.hpp"
#include "support/latency_contest.hpp"
#include "support/verification.hpp"
#include "tool/run_tool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace resident::test {

std::size_t leaking_malloc::bytes_in_use() { return bench::glibc::bytes_in_use(); }

} // namespace resident::test

namespace {

using namespace resident;
using namespace resident::bench;
using test::broken;
using test::flaw;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

const std::string address = "0x[0-9a-f]+";

TEST(verification, an_honest_allocator_passes) {
    const verdict found = verify<test::honest>();
    EXPECT_EQ(found.defect, "");
    EXPECT_FALSE(found.bytes_kept.has_value()) << "it does not tell what it has given out";
}

TEST(verification, every_contestant_passes_and_returns_everything) {
    const auto expect_sound = []<class C>() {
        SCOPED_TRACE(C::name);
        const verdict found = verify<C>();
        if (found.refused.find("memlock limit") != std::string::npos) {
            std::printf("%s: %s\n", C::name, found.refused.c_str());
            return;
        }
        EXPECT_EQ(found.reason(), "");
        if constexpr (requires { C::bytes_in_use(); }) {
            EXPECT_EQ(found.bytes_kept, 0);
        }
    };
    for_each_contestant(all_contestants{}, expect_sound);
    expect_sound.template operator()<resident_shared_pool>();
    expect_sound.template operator()<std_shared_pool>();
}

TEST(verification, overlapping_blocks) {
    EXPECT_THAT(verify<broken<flaw::overlap>>().defect,
                AllOf(HasSubstr("operation 500, allocate("),
                      ContainsRegex("returned " + address + ", in the middle of [0-9]+ bytes at " +
                                    address + " that operation 499 was given")));
}

TEST(verification, a_block_that_is_alive_handed_out_again) {
    EXPECT_THAT(verify<broken<flaw::twice>>().defect,
                AllOf(HasSubstr("operation 500, allocate("), HasSubstr("that operation 499")));
}

TEST(verification, a_misaligned_block) {
    EXPECT_THAT(verify<broken<flaw::misaligned>>().defect,
                AllOf(HasSubstr("operation 500"),
                      ContainsRegex("returned " + address + ", which is not aligned to 16")));
}

TEST(verification, null) {
    EXPECT_THAT(verify<broken<flaw::null>>().defect,
                AllOf(HasSubstr("operation 500"), HasSubstr("returned null")));
}

TEST(verification, content_that_was_written_over) {
    EXPECT_THAT(verify<broken<flaw::corrupts>>().defect,
                AllOf(ContainsRegex("before deallocate\\(" + address),
                      ContainsRegex("byte 5 of the [0-9]+ bytes at " + address),
                      HasSubstr("that operation 499 was given is no longer what was written")));
}

TEST(verification, an_exception) {
    EXPECT_EQ(verify<broken<flaw::throws>>().defect, "threw: out of order");
}

TEST(verification, a_crash) {
    EXPECT_EQ(verify<broken<flaw::crashes>>().defect, "its process crashed in the verification");
    const verdict killed = verify<broken<flaw::killed>>();
    EXPECT_FALSE(killed.is_broken()) << "the OOM killer's victim did nothing wrong";
    EXPECT_EQ(killed.refused, "its process was killed, most likely for want of memory");
}

TEST(verification, a_process_that_cannot_be_prepared) {
    const verdict found = verify<test::refusing>();
    EXPECT_EQ(found.refused, "the process is not to its liking");
    EXPECT_EQ(found.reason(), found.refused);
    EXPECT_FALSE(found.is_broken());
}

TEST(verification, memory_that_is_not_returned) {
    const verdict found = verify<test::leaking<3>>();
    EXPECT_EQ(found.bytes_kept, 3 * 4096);
    EXPECT_THAT(found.defect, HasSubstr("12288 bytes are not returned"));
}

TEST(verification, malloc_blocks_that_are_not_returned) {
    const verdict found = verify<test::leaking_malloc>();
    // A chunk is 8 bytes longer than what was asked for.
    EXPECT_EQ(found.bytes_kept, test::leaking_malloc::blocks * 1008);
}

// The order of things: nothing of a broken allocator is timed.
TEST(verification, what_fails_is_named_and_never_measured) {
    timed_contestant contestant = timed<broken<flaw::overlap>>();
    contestant.measure = [](const call_clock&, const timed_calls_amount&) -> std::string {
        std::abort();
    };
    const auto results = time_in_rounds({contestant}, {}, 2);
    ASSERT_EQ(results.size(), 1U);
    EXPECT_THAT(results[0].refused, HasSubstr("operation 500"));
    const part_record part = latency_part(results);
    ASSERT_EQ(part.refused.size(), 1U);
    EXPECT_EQ(part.refused[0].name, "broken");
    EXPECT_TRUE(part.refused[0].is_broken);
    EXPECT_EQ(part.not_measured, "no contestant could be measured");
    EXPECT_THAT(latency_text(results), HasSubstr("Not measured: broken: operation 500"));
    EXPECT_LE(test::widest_line(latency_text(results)), 80U) << results[0].refused;
}

} // namespace
