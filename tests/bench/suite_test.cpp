// Concerns: a program of tables measures nobody who fails the verification or cannot be prepared,
// says so, and measures the others.

#include "bench/known_contestants.hpp"
#include "support/child.hpp"
#include "support/suite.hpp"
#include "tool/run_tool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <unistd.h>

namespace {

using namespace resident;
using namespace resident::bench;
using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

void empty_benchmark(benchmark::State& state) {
    for ([[maybe_unused]] auto _ : state) {
    }
}

void must_not_run(benchmark::State&) { std::abort(); }

const std::string long_reason = "not in the mood, for reasons that fill more than one line of a "
                                "terminal: 30 MiB to lock, but RLIMIT_MEMLOCK leaves 8 MiB";

/// Passes the verification, and then cannot be prepared.
class moody : public test::honest {
public:
    static constexpr const char* name = "moody";
    static std::string prepare_process() {
        return ::access(flag.c_str(), F_OK) == 0 ? long_reason : (std::ofstream{flag}.put('x'), "");
    }
    static inline std::string flag;
};

/// Passes the verification, is measured as often as said, and then crashes.
class short_lived : public test::honest {
public:
    static constexpr const char* name = "short-lived";
    static std::string prepare_process() {
        const auto turns =
            std::filesystem::exists(turn_log) ? std::filesystem::file_size(turn_log) : 0;
        std::ofstream{turn_log, std::ios::app}.put('x');
        if (turns > good_turns)
            std::abort();
        return {};
    }
    static inline std::string turn_log;
    static inline std::uintmax_t good_turns = 0;
};

TEST(suite, who_fails_is_named_and_not_measured) {
    const std::string path = test::fresh_path("part.json");
    moody::flag = test::fresh_path("flag");
    const auto child = test::run_in_child({}, [&] {
        suite benchmarks{{"throughput", "direct", "a title"}};
        benchmarks.table({.key = "table", .title = "a table", .unit = "ns", .bias = "nobody"});
        benchmarks.add<test::honest>("column", empty_benchmark);
        benchmarks.add<test::broken<test::flaw::overlap>>("column", must_not_run);
        benchmarks.add<moody>("column", must_not_run);
        std::string words[] = {"bench", "--json", path};
        char* pointers[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
        EXPECT_EQ(benchmarks.run(3, pointers), 1) << "somebody is broken";
    });
    ASSERT_TRUE(child.passed()) << child.output;
    EXPECT_THAT(child.output, HasSubstr("broken is broken: operation 500"));
    EXPECT_THAT(child.output, HasSubstr("Not measured in a process of its own: not in the mood"));
    EXPECT_LE(test::widest_line(child.output), 80U) << child.output;
    std::ifstream file{path};
    const json part = json::parse(file);
    const json& cells = part["tables"][0]["cells"];
    ASSERT_EQ(cells.size(), 3U);
    EXPECT_TRUE(cells[0].contains("value"));
    EXPECT_THAT(cells[1]["text"].get<std::string>(), HasSubstr("operation 500"));
    EXPECT_EQ(cells[2]["text"], long_reason);
    const json& missing = part["missing"];
    ASSERT_GE(missing.size(), 2U);
    const json& broken = missing[missing.size() - 2];
    EXPECT_EQ(broken["name"], "broken");
    EXPECT_THAT(broken["reason"].get<std::string>(), StartsWith("broken: operation 500"));
    EXPECT_EQ(missing.back(), (json{{"name", "moody"}, {"reason", long_reason}}));
    EXPECT_TRUE(part["tables"][0]["compared_to"].is_null()) << "there is no row of that name";
}

TEST(suite, who_crashes_while_it_is_measured_is_broken_in_whichever_round) {
    for (const std::uintmax_t good_turns : {0U, 1U}) {
        const std::string path = test::fresh_path("part.json");
        short_lived::turn_log = test::fresh_path("turns");
        short_lived::good_turns = good_turns;
        const auto child = test::run_in_child({}, [&] {
            suite benchmarks{{"throughput", "direct", "a title"}};
            benchmarks.table({.key = "table", .title = "a table", .unit = "ns", .bias = "nobody"});
            benchmarks.add<test::honest>("column", empty_benchmark);
            benchmarks.add<short_lived>("column", empty_benchmark);
            benchmarks.add<short_lived>("other column", empty_benchmark);
            std::string words[] = {"bench", "--json", path};
            char* pointers[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
            EXPECT_EQ(benchmarks.run(3, pointers), 1);
        });
        ASSERT_TRUE(child.passed()) << child.output;
        EXPECT_THAT(child.output, HasSubstr("short-lived is broken: its process crashed"));
        std::ifstream file{path};
        const json part = json::parse(file);
        const json& missing = part["missing"];
        EXPECT_EQ(std::count(missing.begin(), missing.end(), json::parse(R"({"name": "short-lived",
                                             "reason": "broken: its process crashed"})")),
                  1);
        for (const json& cell : part["tables"][0]["cells"])
            EXPECT_EQ(cell.contains("value"), cell["row"] == "honest") << cell;
    }
}

TEST(suite, who_cannot_be_prepared_is_not_broken) {
    moody::flag = test::fresh_path("flag");
    const auto child = test::run_in_child({}, [&] {
        suite benchmarks{{"throughput", "direct", "a title"}};
        benchmarks.table({.key = "table", .title = "a table", .unit = "ns", .bias = "nobody"});
        benchmarks.add<test::honest>("column", empty_benchmark);
        benchmarks.add<test::refusing>("column", must_not_run);
        benchmarks.add<moody>("column", must_not_run);
        std::string words[] = {"bench"};
        char* pointers[] = {words[0].data(), nullptr};
        EXPECT_EQ(benchmarks.run(1, pointers), 0);
    });
    ASSERT_TRUE(child.passed()) << child.output;
    EXPECT_THAT(child.output, testing::Not(HasSubstr("is broken")));
}

class described : public test::honest {
public:
    static constexpr const char* name = "described";
    static constexpr const char* what = "what it is";
};

TEST(suite, contestants_are_described) {
    const std::string path = test::fresh_path("part.json");
    const auto child = test::run_in_child({}, [&] {
        suite benchmarks{{"throughput", "direct", "a title"}};
        benchmarks.table({.key = "table",
                          .title = "a table",
                          .unit = "ns",
                          .bias = "nobody",
                          .compared_to = "described"});
        benchmarks.add<described>("column", empty_benchmark);
        std::string words[] = {"bench", "--json", path};
        char* pointers[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
        EXPECT_EQ(benchmarks.run(3, pointers), 0);
    });
    ASSERT_TRUE(child.passed()) << child.output;
    std::ifstream file{path};
    const json part = json::parse(file);
    EXPECT_EQ(part["tables"][0]["compared_to"], "described");
    EXPECT_EQ(part["contestants"], json::parse(R"([{"name": "described", "what": "what it is"}])"));
}

/// Needs a process of its own, and must never run in this one.
class apart : public test::honest {
public:
    static constexpr const char* name = "apart";
    static std::string prepare_process() { return {}; }
};

TEST(suite, in_one_run_who_needs_a_process_of_its_own_is_left_out) {
    const auto child = test::run_in_child({}, [&] {
        suite benchmarks{{"throughput", "direct", "a title"}};
        benchmarks.table({.key = "table", .title = "a table", .unit = "ns", .bias = "nobody"});
        benchmarks.add<test::honest>("column", empty_benchmark);
        benchmarks.add<apart>("column", must_not_run);
        std::string words[] = {"bench", "--benchmark_format=json"};
        char* pointers[] = {words[0].data(), words[1].data(), nullptr};
        EXPECT_EQ(benchmarks.run(2, pointers), 0);
    });
    ASSERT_TRUE(child.passed()) << child.output;
}

} // namespace
