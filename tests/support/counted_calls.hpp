/// os::count_instructions for tests.
#pragma once

#include "os/harness/instruction_counter.hpp"
#include "support/build.hpp"

#include <functional>

namespace resident::test {

/// Whether counts mean something: those of an instrumented or unoptimised build do not.
#ifdef __OPTIMIZE__
inline constexpr bool counts_are_exact = !sanitized;
#else
inline constexpr bool counts_are_exact = false;
#endif

/// As os::count_instructions; a gtest expectation that fails in the body is its failure too.
///
///     const auto counts = test::count_instructions([](os::stepper& stepper) { ... });
///     if (!counts.refused.empty())
///         GTEST_SKIP() << counts.refused;
///     ASSERT_EQ(counts.failure, "");
[[nodiscard]] os::instruction_counts
count_instructions(const std::function<void(os::stepper&)>& body,
                   const os::counting_options& options = {});

} // namespace resident::test
