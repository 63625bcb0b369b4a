// Concerns: what the benchmarks write is read by others: HdrHistogram's plotters, the report. A
// file is whole or not there, and the error names it; a wrong command line is told before anything
// is measured.

#include "bench/known_contestants.hpp"
#include "support/part_file.hpp"
#include "support/percentile_text.hpp"
#include "support/run_options.hpp"
#include "tool/spread.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace resident;
using namespace resident::bench;
using nlohmann::json;
using test::fresh_path;
using testing::HasSubstr;

tool::latency_histogram some_latencies() {
    tool::latency_histogram histogram;
    for (std::uint64_t value = 1; value <= 100'000; ++value) {
        histogram.record(value % 1'000 + (value % 10'000 == 0 ? 1'000'000 : 0));
    }
    return histogram;
}

struct percentile_line {
    double value = 0;
    double share = 0;
    std::uint64_t count = 0;
    double inverse = 0;
};

/// As HdrHistogram's plotFiles.html reads it: lines of four words that are no comment.
std::vector<percentile_line> plotted(const std::string& text) {
    std::vector<percentile_line> lines;
    std::istringstream all{text};
    for (std::string line; std::getline(all, line);) {
        std::istringstream words{line};
        percentile_line read;
        std::string more;
        if (line.front() != '#' &&
            words >> read.value >> read.share >> read.count >> read.inverse && !(words >> more)) {
            lines.push_back(read);
        }
    }
    return lines;
}

TEST(percentile_text, head_and_foot) {
    const std::string text = percentile_text(some_latencies());
    EXPECT_TRUE(text.starts_with("       Value     Percentile TotalCount 1/(1-Percentile)\n\n"));
    EXPECT_THAT(text, HasSubstr("\n 1000000.000 1.000000000000     100000\n#[Mean    = "));
    EXPECT_THAT(text, HasSubstr("\n#[Max     =  1000000.000, Total count    =       100000]\n"));
    EXPECT_THAT(text, HasSubstr("\n#[Buckets =           36, SubBuckets     =          128]\n"));
}

TEST(percentile_text, lines_are_those_of_the_histogram) {
    const tool::latency_histogram histogram = some_latencies();
    const auto lines = plotted(percentile_text(histogram));
    ASSERT_GT(lines.size(), 50U);
    EXPECT_EQ(lines.front().share, 0);
    for (std::size_t at = 0; at != lines.size(); ++at) {
        const percentile_line& line = lines[at];
        SCOPED_TRACE(line.share);
        EXPECT_NEAR(line.inverse, 1 / (1 - line.share), 0.01 * line.inverse);
        EXPECT_GE(static_cast<double>(line.count), line.share * 100'000 - 1);
        EXPECT_EQ(histogram.between(0, line.value + 1), line.count);
        if (at != 0) {
            EXPECT_GT(line.share, lines[at - 1].share);
            EXPECT_GE(line.count, lines[at - 1].count);
            EXPECT_GE(line.value, lines[at - 1].value);
        }
    }
    EXPECT_GE(lines.back().inverse, 1'000) << "the rare values are shown";
}

TEST(percentile_text, of_nothing_and_of_one) {
    tool::latency_histogram histogram;
    EXPECT_TRUE(plotted(percentile_text(histogram)).empty());
    EXPECT_THAT(percentile_text(histogram), HasSubstr("Total count    =            0]"));
    histogram.record(7);
    EXPECT_THAT(percentile_text(histogram), HasSubstr("       7.000 1.000000000000          1\n"));
}

TEST(percentile_text, a_file_that_cannot_be_written_is_named) {
    const std::string folder = fresh_path("missing");
    const std::string reason = write_percentiles(folder, "warm-free", "std arena", {});
    EXPECT_THAT(reason, HasSubstr(folder + "/warm-free-std-arena.txt"));
}

part_record some_part() {
    return {
        .part = "latency",
        .title = "a title",
        .program = "latency",
        .full = true,
        .contestants = {{"honest", "malloc"}},
        .refused = {{"shy", "not permitted"}, {"broken", "hands out what is alive", true}},
        .notes = {"a note"},
        .tables = {{.key = "table",
                    .unit = "ns",
                    .compared_to = "",
                    .cells = {{.row = "honest", .column = "max", .median = 3, .samples = {1, 3, 7}},
                              {.row = "broken", .column = "max", .text = "not measured"}}}},
        .curves = {{.key = "curve",
                    .unit = "ns",
                    .charts = {"steps"},
                    .series = {{.contestant = "honest",
                                .buckets = buckets_of(some_latencies()),
                                .total = 100'000,
                                .largest = 1'000'000,
                                .minor_faults = 2}}}}};
}

json read_json(const std::string& path) {
    std::ifstream file{path};
    return json::parse(file);
}

TEST(part_file, what_the_report_reads) {
    const std::string path = fresh_path("latency.json");
    part_writer{}.write(some_part(), path);
    const json part = read_json(path);
    EXPECT_EQ(part["schema"], "resident-bench-part/1");
    EXPECT_EQ(part["part"], "latency");
    EXPECT_EQ(part["command"], "./dev bench latency --full");
    EXPECT_EQ(part["mode"], "full");
    EXPECT_EQ(part["status"], "measured");
    EXPECT_GE(part["machine"]["noise"]["max_ns"], part["machine"]["noise"]["p50_ns"]);
    EXPECT_EQ(part["contestants"][0]["name"], "honest");
    EXPECT_EQ(part["missing"].back()["name"], "broken");
    EXPECT_EQ(part["missing"].back()["reason"], "broken: hands out what is alive");
    const json& table = part["tables"][0];
    EXPECT_EQ(table["rows"], json::array({"honest", "broken"}));
    EXPECT_EQ(table["columns"], json::array({"max"}));
    EXPECT_EQ(table["cells"][0]["value"], 3);
    EXPECT_EQ(table["cells"][0]["low"], 2);
    EXPECT_EQ(table["cells"][0]["high"], 5);
    EXPECT_EQ(table["cells"][1]["text"], "not measured");
    EXPECT_TRUE(table["compared_to"].is_null());
    const json& series = part["curves"][0]["series"][0];
    std::uint64_t sum = 0;
    for (const json& bucket : series["buckets"]) {
        EXPECT_LT(bucket[0], bucket[1]);
        sum += bucket[2].get<std::uint64_t>();
    }
    EXPECT_EQ(sum, series["total"]);
    EXPECT_EQ(series["minor_faults"], 2);
    EXPECT_FALSE(series.contains("major_faults"));
}

/// By the report's own reader, which takes nothing that it does not know.
TEST(part_file, the_report_takes_it) {
    if (std::system("python3 -c ''") != 0) // NOLINT: the test's own words
        GTEST_SKIP() << "python3, which the report is written in, is not there";
    const std::string path = fresh_path("latency.json");
    part_writer{}.write(some_part(), path);
    const std::string command = "cd '" RESIDENT_REPORT "' && python3 -B -c 'import sys, part_file; "
                                "part_file.read_part(sys.argv[1])' '" +
                                path + "'";
    EXPECT_EQ(std::system(command.c_str()), 0) << command; // NOLINT: the same
    std::ofstream(path, std::ios::app) << "more";
    EXPECT_NE(std::system((command + " 2>/dev/null").c_str()), 0); // NOLINT: the same
}

TEST(part_file, a_program_with_a_broken_contestant_fails) {
    const std::string path = fresh_path("part.json");
    run_options options;
    options.json_file = path;
    part_record part = some_part();
    EXPECT_EQ(part_writer{}.finish(part, options), 1);
    EXPECT_EQ(read_json(path)["status"], "measured") << "of the others all is told";
    part.refused.pop_back();
    EXPECT_EQ(part_writer{}.finish(part, options), 0) << "a limit is no defect";
    EXPECT_EQ(read_json(path)["missing"].back()["reason"], "not permitted");
}

TEST(part_file, why_nothing_was_measured) {
    const std::string path = fresh_path("part.json");
    part_writer{}.write({.part = "bounds", .not_measured = "not permitted"}, path);
    EXPECT_EQ(read_json(path)["status"], "not measured");
    EXPECT_EQ(read_json(path)["reason"], "not permitted");
}

TEST(part_file, a_file_that_cannot_be_written_is_named_and_the_old_one_stays) {
    const std::string path = fresh_path("part.json");
    try {
        part_writer{}.write(some_part(), path + "/deeper.json");
        FAIL() << "there is no such folder";
    } catch (const std::runtime_error& failure) {
        EXPECT_THAT(failure.what(), HasSubstr(path + "/deeper.json"));
    }
    ASSERT_EQ(::mkdir(path.c_str(), 0700), 0); // a folder is in the way
    EXPECT_THROW(part_writer{}.write(some_part(), path), std::runtime_error);
    run_options options;
    options.json_file = path;
    EXPECT_EQ(part_writer{}.finish(some_part(), options), 1);
    EXPECT_EQ(::access(path.c_str(), F_OK), 0);
    EXPECT_NE(::access((path + ".new").c_str(), F_OK), 0) << "nothing is left behind";
}

TEST(spread, quartiles) {
    EXPECT_EQ(tool::spread_of({5}).median, 5);
    EXPECT_EQ(tool::spread_of({5}).low, 5);
    EXPECT_EQ(tool::spread_of({4, 1, 3, 2, 5}).low, 2);
    EXPECT_EQ(tool::spread_of({4, 1, 3, 2, 5}).median, 3);
    EXPECT_EQ(tool::spread_of({4, 1, 3, 2, 5}).high, 4);
    EXPECT_EQ(tool::spread_of({1, 2}).median, 1.5);
}

run_options parse(std::vector<std::string> words, other_words others = other_words::refused) {
    std::vector<char*> pointers;
    words.insert(words.begin(), "bench");
    for (std::string& word : words) {
        pointers.push_back(word.data());
    }
    run_options options =
        parse_command_line(static_cast<int>(pointers.size()), pointers.data(), "something", others);
    options.others.erase(options.others.begin()); // they point to what ends here
    return options;
}

TEST(run_options, what_is_asked_for) {
    const std::string file = fresh_path("part.json");
    const run_options options = parse({"--full", "--json", file});
    EXPECT_TRUE(options.full);
    EXPECT_EQ(options.json_file, file);
    EXPECT_EQ(parse({}).json_file, "");
    EXPECT_EQ(parse({"--benchmark_filter=a"}, other_words::kept).others.size(), 1U);
}

TEST(run_options, what_is_wrong_ends_the_program_and_is_named) {
    const auto refused = testing::ExitedWithCode(2);
    EXPECT_EXIT(parse({"--ful"}), refused, "--ful");
    EXPECT_EXIT(parse({"--json"}), refused, "--json");
    EXPECT_EXIT(parse({"--benchmark_filter=a"}), refused, "--benchmark_filter=a");
    EXPECT_EXIT(parse({"--json", "/nowhere/part.json"}), refused, "/nowhere");
    EXPECT_EXIT(parse({"--percentiles", "/tmp"}), refused, "--percentiles")
        << "of one program alone";
    EXPECT_EXIT(parse({"--help"}), testing::ExitedWithCode(0), "");
}

} // namespace
