// Whose malloc a contestant's process has is known, and not taken for another one's.
#include "support/build.hpp"
#include "tool/preloaded_malloc.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace resident::test {
namespace {

using testing::HasSubstr;

TEST(PreloadedMalloc, NobodysIsTheProgramsOwn) {
    EXPECT_EQ(tool::preload_variable(nullptr), "LD_PRELOAD=");
    EXPECT_EQ(tool::why_other_malloc(nullptr), "");
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
