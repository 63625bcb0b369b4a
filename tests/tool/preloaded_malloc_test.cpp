// Whose malloc a contestant's process has is known, and not taken for another one's.
#include "support/build.hpp"
#include "tool/preloaded_malloc.hpp"
#include "tool/run_tool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace resident::test {
namespace {

using testing::HasSubstr;

TEST(PreloadedMalloc, NobodysIsTheProgramsOwn) {
    EXPECT_EQ(tool::preload_variable(nullptr), "LD_PRELOAD=");
    EXPECT_EQ(tool::why_other_malloc(nullptr), "");
}

/// The test before, in a process that has another one.
TEST(PreloadedMalloc, AnotherOneIsTold) {
    if (sanitized)
        GTEST_SKIP() << "malloc is the sanitizer's";
    const tool_result said =
        run_tool({"--gtest_filter=PreloadedMalloc.NobodysIsTheProgramsOwn"},
                 {.program = "/proc/self/exe", .environment = {"LD_PRELOAD=libjemalloc.so.2"}});
    if (said.diagnostics.find("cannot be preloaded") != std::string::npos)
        GTEST_SKIP() << "libjemalloc2 is not there";
    EXPECT_EQ(said.exit_code, 1);
    EXPECT_THAT(said.output, HasSubstr("libjemalloc.so.2 and not the C library's"));
}

TEST(PreloadedMalloc, TheFirstThatThereIs) {
    if (sanitized)
        GTEST_SKIP() << "malloc is the sanitizer's";
    EXPECT_EQ(tool::preload_variable("libfirst.so:libc.so"), "LD_PRELOAD=libfirst.so:libc.so");
    EXPECT_EQ(tool::why_other_malloc("libfirst.so:libc.so"), "");
    EXPECT_EQ(tool::why_other_malloc("libfirst.so:libsecond.so"),
              "not installed: the loader finds no libfirst.so or libsecond.so");
}

TEST(PreloadedMalloc, TheLoaderIsNotTheProgram) {
    EXPECT_EQ(tool::first_own_line(""), "");
    EXPECT_EQ(tool::first_own_line("ERROR: ld.so: object 'libfirst.so' from LD_PRELOAD cannot be "
                                   "preloaded: ignored.\n"),
              "");
    EXPECT_EQ(tool::first_own_line("ERROR: ld.so: object 'libfirst.so' is missing\n\nout of "
                                   "memory\nmore\n"),
              "out of memory");
}

} // namespace
} // namespace resident::test
