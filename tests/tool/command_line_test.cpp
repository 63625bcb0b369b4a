// The command line: what it refuses, with which words, and where they go.
#include "tool/run_tool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace resident::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

struct refused_line {
    std::vector<std::string> arguments;
    std::string named; ///< what the message must say
};

void PrintTo(const refused_line& line, std::ostream* out) {
    for (const std::string& argument : line.arguments)
        *out << argument << ' ';
}

class CommandLine : public testing::TestWithParam<refused_line> {};

TEST_P(CommandLine, RefusesNamingTheValueAndTheRemedy) {
    const scratch_folder folder;
    const tool_result result = run_tool(GetParam().arguments, {.folder = folder.path()});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.output, IsEmpty());
    EXPECT_THAT(result.diagnostics, HasSubstr(GetParam().named));
    EXPECT_THAT(folder.content(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Command, CommandLine,
                         testing::Values(refused_line{{}, "subcommand is required"},
                                         refused_line{{"frobnicate"}, "resident --help"},
                                         refused_line{{"--frobnicate"}, "resident --help"},
                                         refused_line{{"demo", "--frobnicate"},
                                                      "resident demo --help"},
                                         refused_line{{"demo", "surplus"}, "surplus"}));

INSTANTIATE_TEST_SUITE_P(
    Times, CommandLine,
    testing::Values(refused_line{{"demo", "-D", "10"}, "'10' is not a time: it has no unit"},
                    refused_line{{"demo", "-D", "10x"}, "'x' is no unit"},
                    refused_line{{"demo", "-D", "s"}, "does not begin with a number"},
                    refused_line{{"demo", "-D", ""}, "does not begin with a number"},
                    refused_line{{"demo", "--duration=-1s"}, "negative"},
                    refused_line{{"demo", "-D", "0s"}, "too short"},
                    refused_line{{"demo", "-D", "nan"}, "not a time"},
                    refused_line{{"demo", "-D", "1e3s"}, "not a time"},
                    refused_line{{"demo", "-D", "25h"}, "more than 24h"},
                    refused_line{{"demo", "-D", "99999999999999999999h"}, "more than 24h"},
                    refused_line{{"demo", "-D"}, "TIME"},
                    refused_line{{"demo", "-i", "1"}, "no unit"},
                    refused_line{{"demo", "-i", "1us"}, "50us to 1s"},
                    refused_line{{"demo", "-i", "2s"}, "50us to 1s"},
                    refused_line{{"demo", "-D", "100ms", "-i", "50ms"}, "fewer than ten periods"}));

INSTANTIATE_TEST_SUITE_P(
    Numbers, CommandLine,
    testing::Values(refused_line{{"demo", "--capacity", "64"}, "no unit"},
                    refused_line{{"demo", "--capacity", "0MiB"}, "'0MiB'"},
                    refused_line{{"demo", "--capacity", "5000B"}, "multiple of 4 KiB"},
                    refused_line{{"demo", "--capacity", "64MB"}, "'MB' is no unit"},
                    refused_line{{"demo", "--capacity", "1TiB"}, "1 TiB is more than"},
                    refused_line{{"demo", "--capacity", "99999999TiB"}, "more than 4 EiB"},
                    refused_line{{"demo", "-p", "100"}, "priority from 0 to 99"},
                    refused_line{{"demo", "--priority=-1"}, "'-1'"},
                    refused_line{{"demo", "-p", "high"}, "'high'"},
                    refused_line{{"demo", "-p", "1.5"}, "'1.5'"}));

INSTANTIATE_TEST_SUITE_P(
    Traces, CommandLine,
    testing::Values(refused_line{{"replay"}, "TRACE is required"},
                    refused_line{{"size"}, "TRACE is required"},
                    refused_line{{"replay", "/nowhere/at/all"}, "/nowhere/at/all"},
                    refused_line{{"size", "/nowhere/at/all"}, "/nowhere/at/all"},
                    refused_line{{"replay", "/"}, "/"},
                    refused_line{{"replay", "x", "-c", "dlmalloc"},
                                 "'dlmalloc' is none of resident"},
                    refused_line{{"replay", "x", "--capacity", "5000B"}, "multiple of 4 KiB"},
                    refused_line{{"replay", "x", "-r", "0"}, "'0' is not a number from 1 to 1000"},
                    refused_line{{"replay", "x", "--samples", "-1"}, "'-1'"},
                    refused_line{{"replay", "x", "--json", "/nowhere/at/all"}, "--json"},
                    refused_line{{"size", "x", "--tries", "many"}, "'many'"},
                    refused_line{{"replay", "--frobnicate"}, "resident replay --help"}));

TEST(CommandLineAnswers, HelpFitsEightyColumnsAndGoesToStandardOutput) {
    for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--help"},
                                                      {"-h"},
                                                      {"demo", "--help"},
                                                      {"replay", "--help"},
                                                      {"size", "--help"}}) {
        const tool_result result = run_tool(arguments);
        EXPECT_EQ(result.exit_code, 0);
        EXPECT_THAT(result.output, HasSubstr("Usage: resident"));
        EXPECT_LE(widest_line(result.output), 80U);
        EXPECT_THAT(result.diagnostics, IsEmpty());
    }
}

TEST(CommandLineAnswers, VersionGoesToStandardOutput) {
    const tool_result result = run_tool({"--version"});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_THAT(result.output, testing::MatchesRegex("resident [0-9]+\\.[0-9]+\\.[0-9]+\n"));
    EXPECT_THAT(result.diagnostics, IsEmpty());
}

} // namespace
} // namespace resident::test
