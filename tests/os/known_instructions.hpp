/// Code of a known number of instructions, for the tests of what counts them.
#pragma once

#include "support/counted_calls.hpp"

#include <gtest/gtest.h>

namespace resident::test {

/// Skips where instructions cannot be counted.
class instruction_counter : public testing::Test {
protected:
    void SetUp() override {
#if defined(RESIDENT_COVERAGE)
        GTEST_SKIP() << "what counts the lines run is instructions too";
#endif
        const auto tried = os::count_instructions([](os::stepper&) {});
        if (!tried.refused.empty())
            GTEST_SKIP() << tried.refused;
        ASSERT_EQ(tried.failure, "");
    }
};

#if defined(__x86_64__)

/// 2 instructions a round.
[[gnu::always_inline]] inline void loop(unsigned long rounds) {
    asm volatile("1: dec %0; jnz 1b" : "+r"(rounds)::"cc");
}

#endif

} // namespace resident::test
