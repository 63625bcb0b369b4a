// Concerns: that a file that is cut, changed or made up is refused, with the offset, without a
// crash and without much memory. Plan: a small trace is cut at each byte, and each of its bytes is
// changed; then fields are set to what they must not be, under right checksums.

#include "trace/block_index.hpp"
#include "trace/made_up.hpp"
#include "trace/made_up_file.hpp"
#include "trace/seal.hpp"

#include <functional>
#include <optional>

namespace resident::trace {
namespace {

using namespace test;

/// Reads to the end. Returns: the error, or nothing.
std::optional<trace_error> refused(const std::string& path) {
    auto opened = reader::open(path);
    if (const auto* wrong = std::get_if<1>(&opened))
        return *wrong;
    auto& read = std::get<0>(opened);
    std::uint64_t expected = 0;
    for (event each; read.next(each);)
        EXPECT_EQ(each.sequence, expected++);
    return read.error();
}

class TraceRefusal : public testing::Test {
protected:
    trace_folder folder_;
    std::string file_ = folder_.file("trace");
};

TEST_F(TraceRefusal, ATraceThatIsCutAnywhere) {
    write_trace(file_, made_up_events(1500, 3, 3));
    const std::vector<char> whole = bytes_of(file_);
    ASSERT_FALSE(refused(file_));
    ASSERT_GT(whole.size(), 3U * block_unit);
    for (std::size_t length = whole.size(); length-- != 0;) {
        std::filesystem::resize_file(file_, length);
        const auto wrong = refused(file_);
        ASSERT_TRUE(wrong) << "cut to " << length << " bytes";
        ASSERT_LE(wrong->offset, length);
    }
}

TEST_F(TraceRefusal, ATraceOfWhichAByteIsChanged) {
    write_trace(file_, made_up_events(900, 2, 4));
    std::vector<char> bytes = bytes_of(file_);
    std::fstream file(file_, std::ios::binary | std::ios::in | std::ios::out);
    for (std::size_t at = 0; at < bytes.size(); ++at)
        for (const int change : {1, 0x80}) {
            const auto place = static_cast<std::streamoff>(at);
            file.seekp(place).put(static_cast<char>(bytes[at] ^ change)).flush();
            ASSERT_TRUE(refused(file_)) << "byte " << at << " changed by " << change;
            file.seekp(place).put(bytes[at]).flush();
        }
    EXPECT_FALSE(refused(file_));
}

/// Not under checksums: whatever it then says, it must not crash.
TEST_F(TraceRefusal, AnOpenTraceOfWhichAByteIsChangedDoesNotCrash) {
    made_up_file made;
    for (std::uint32_t thread = 0; thread < 3; ++thread)
        made.add(thread, thread,
                 {allocate(thread * 4, 0x1000 + thread * 64), free_of(thread * 4 + 1, 0x1000),
                  reallocate(thread * 4 + 2, thread * 4 + 3, 0x1040, 0x1080)});
    made.write(file_);
    ASSERT_FALSE(refused(file_));
    std::vector<char> bytes = bytes_of(file_);
    std::fstream file(file_, std::ios::binary | std::ios::in | std::ios::out);
    unsigned refusals = 0;
    for (std::size_t at = 0; at < bytes.size(); ++at)
        for (const int change : {1, 7, 0x80, 0xFF}) {
            if (at % block_unit >= 256)
                continue; // the command, or nothing
            const auto place = static_cast<std::streamoff>(at);
            file.seekp(place).put(static_cast<char>(bytes[at] ^ change)).flush();
            refusals += refused(file_) ? 1 : 0;
            file.seekp(place).put(bytes[at]).flush();
        }
    EXPECT_GT(refusals, 100U);
}

TEST_F(TraceRefusal, WhatIsNoTrace) {
    EXPECT_EQ(refused(folder_.file("missing"))->what,
              "the file cannot be opened: No such file or directory");
    EXPECT_EQ(refused(folder_.path())->what, "the file cannot be opened: it is not a file");
    put(file_, {});
    EXPECT_EQ(refused(file_)->offset, 0U);
    put(file_, std::vector<char>(10'000, 'x'));
    EXPECT_EQ(refused(file_)->message(),
              "byte 0: this is not a trace: it does not begin with RSDTRACE");
    made_up_file made;
    made.header.version = 2;
    made.write(file_);
    EXPECT_EQ(refused(file_)->message(),
              "byte 12: the trace is of version 2, this program reads version 1");
    made.header.version = 1;
    made.header.byte_order = 0x04030201;
    made.write(file_);
    EXPECT_EQ(refused(file_)->offset, 8U);
}

struct hostile_case {
    const char* name;
    std::function<void(made_up_file&)> change;
    const char* message;
};
class TraceHostile : public TraceRefusal, public testing::WithParamInterface<hostile_case> {};

TEST_P(TraceHostile, IsRefusedWithTheOffset) {
    made_up_file made;
    made.add(0, 0, {allocate(0, 0x1000), free_of(1, 0x1000)});
    GetParam().change(made);
    made.write(file_);
    const auto wrong = refused(file_);
    ASSERT_TRUE(wrong);
    EXPECT_EQ(wrong->message(), GetParam().message);
    EXPECT_TRUE(seal(file_, process_end::exited, 0)) << "it was sealed";
}

INSTANTIATE_TEST_SUITE_P(
    Cases, TraceHostile,
    testing::Values(
        hostile_case{"TwoRecordsOfOneNumber",
                     [](auto& file) { file.add(1, 1, {free_of(1, 0x2000)}); },
                     "byte 8256: two records have the number 1"},
        hostile_case{"NumbersThatGoBackwards",
                     [](auto& file) {
                         file.add(0, 0, {});
                         file.add(0, 1, {free_of(1, 0x2000)});
                     },
                     "byte 12352: the numbers of a thread's records go backwards"},
        hostile_case{"BlocksThatGoBackwards",
                     [](auto& file) {
                         file.block().first_number = 9;
                         file.add(0, 8, {});
                     },
                     "byte 8208: the numbers of a thread's records go backwards"},
        hostile_case{"AnAbsurdSize",
                     [](auto& file) { file.add(1, 2, {allocate(2, 0x2000, size_limit + 1)}); },
                     "byte 8256: a size above 2^47 bytes"},
        hostile_case{"AnAbsurdAddress",
                     [](auto& file) { file.add(1, 2, {free_of(2, address_limit)}); },
                     "byte 8256: an address that is 0 or above 2^57"},
        hostile_case{"NoAddress", [](auto& file) { file.add(1, 2, {free_of(2, 0)}); },
                     "byte 8256: an address that is 0 or above 2^57"},
        hostile_case{"AnAbsurdAlignment",
                     [](auto& file) {
                         file.add(1, 2,
                                  {{.kind = record_kind::allocate_aligned,
                                    .number = 2,
                                    .last_number = 2,
                                    .address = 0x2000,
                                    .alignment_bits = 48}});
                     },
                     "byte 8256: an alignment above 2^47"},
        hostile_case{"AnAbsurdNumber",
                     [](auto& file) { file.add(1, 2, {free_of(number_limit, 0x2000)}); },
                     "byte 8256: a record's number is above 2^56"},
        hostile_case{"AHugeBlock", [](auto& file) { file.block().block_bytes = 2 * largest_block; },
                     "byte 4104: a block of 2097152 bytes; right are multiples of 4096 up to "
                     "1048576"},
        hostile_case{"AnEmptyBlock", [](auto& file) { file.block().block_bytes = 0; },
                     "byte 4104: a block of 0 bytes; right are multiples of 4096 up to 1048576"},
        hostile_case{"ABlockBeyondTheFile", [](auto& file) { file.block().block_bytes = 8192; },
                     "byte 8192: the file is cut: the block at 4096 has 8192 bytes"},
        hostile_case{"ALongCommand", [](auto& file) { file.header.command_bytes = 5000; },
                     "byte 56: a command of 5000 bytes; the limit is 3840"},
        hostile_case{"NoProcess", [](auto& file) { file.header.process = 0; },
                     "byte 24: no program has recorded anything into this file"},
        hostile_case{"SomethingBetweenTheBlocks",
                     [](auto& file) {
                         std::vector<char> page(block_unit);
                         page[100] = 1;
                         file.append(page.data(), page.size());
                     },
                     "byte 8292: something is written where no block begins"},
        hostile_case{
            "AHugeHole",
            [](auto& file) {
                file.content.resize(block_unit + hole_limit + full_block_bytes + block_unit);
            },
            "byte 4272128: more than 4259840 bytes without a block; the limit for a trace of 1 "
            "threads"},
        hostile_case{"AnEndlessNumber",
                     [](auto& file) {
                         std::fill_n(file.content.begin() + sizeof(block_header), 20, '\xFA');
                     },
                     "byte 4160: a number of more than 64 bits"}),
    [](const auto& chosen) { return std::string(chosen.param.name); });

TEST_F(TraceRefusal, ABlockWithAnotherNumberOfRecordsThanWereCounted) {
    made_up_file made;
    made.add(0, 0, {allocate(0, 0x1000), free_of(1, 0x1000), free_of(2, 0x2000)});
    made.block().records = 2; // as after an end by force
    made.write(file_);
    EXPECT_FALSE(seal(file_, process_end::exited, 0));
    made.block().records = 1;
    made.write(file_);
    EXPECT_EQ(seal(file_, process_end::exited, 0)->message(),
              "byte 4132: the block has 3 records, and 1 were counted");
}

TEST_F(TraceRefusal, NotOfABlockThatEachOfManyThreadsHadReserved) {
    made_up_file made;
    constexpr std::uint32_t threads = 100;
    for (std::uint32_t thread = 0; thread < threads; ++thread)
        made.add(thread, thread, {allocate(thread, 0x1000 + 16 * thread)});
    made.content.resize(made.content.size() + std::size_t{threads} * full_block_bytes);
    made.add(0, threads, {free_of(threads, 0x1000)});
    made.write(file_);
    EXPECT_FALSE(refused(file_));
    EXPECT_FALSE(seal(file_, process_end::signalled, 9));
    EXPECT_FALSE(refused(file_));
}

TEST_F(TraceRefusal, ReallocationsThatWaitForEachOtherAreNoTrouble) {
    made_up_file made;
    for (std::uint32_t thread = 0; thread < 10; ++thread)
        made.add(thread, 0,
                 {reallocate(thread, 100 + thread, 0x1000 + thread * 16,
                             0x1000 + (thread + 1) % 10 * 16)});
    made.write(file_);
    EXPECT_FALSE(refused(file_));
}

} // namespace
} // namespace resident::trace
