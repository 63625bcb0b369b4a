#include "support/counted_calls.hpp"

#include <gtest/gtest.h>

namespace resident::test {
namespace {

/// Expectations that have failed in the running test so far.
int failures() {
    const testing::TestResult& result =
        *testing::UnitTest::GetInstance()->current_test_info()->result();
    int failed = 0;
    for (int part = 0; part < result.total_part_count(); ++part)
        failed += result.GetTestPartResult(part).failed();
    return failed;
}

} // namespace

os::instruction_counts count_instructions(const std::function<void(os::stepper&)>& body,
                                          const os::counting_options& options) {
    const int before = failures();
    return os::count_instructions(
        [&](os::stepper& stepper) {
            body(stepper);
            if (failures() != before)
                stepper.fail("an expectation failed in the child, see above");
        },
        options);
}

} // namespace resident::test
