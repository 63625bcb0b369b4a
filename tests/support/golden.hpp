/// Golden figures: what calls took when they were recorded, so that a change must own up to it.
///
/// They hold for one compiler and its major version, and live beside the test, one file each:
/// `golden/<name>.<compiler>-<major>.txt`. Another build is held to the limits alone, and says so.
/// The figures are those of a Release build; RESIDENT_UPDATE_GOLDEN=1 in the environment writes
/// them anew.
#pragma once

#include "support/counted_calls.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace resident::test {

/// What is recorded of the calls under one label.
struct golden_figures {
    std::string label;
    std::uint32_t median = 0; ///< instructions
    std::uint32_t p99 = 0;
    std::uint32_t max = 0;
    friend bool operator==(const golden_figures&, const golden_figures&) = default;
};
std::ostream& operator<<(std::ostream& out, const golden_figures& figures);

/// What no call under `label` may exceed, whatever the compiler.
struct instruction_limit {
    std::string label;
    std::uint32_t max;
};

/// How this build is called in the names of golden files: "g++-12", "clang-14-noexcept".
[[nodiscard]] std::string golden_build();

/// A line a label, ascending, below a head that says what it is.
[[nodiscard]] std::string format_golden(std::vector<golden_figures> figures);

/// Empty if a line is neither a comment nor a label with three numbers.
[[nodiscard]] std::optional<std::vector<golden_figures>> parse_golden(std::string_view text);

[[nodiscard]] std::vector<golden_figures> figures_of(const os::instruction_counts& counts);

/// What is wrong, a text each: a label that moved, was lost, or is new; and how to accept it, which
/// is to run `update`.
[[nodiscard]] std::vector<std::string> compare_golden(const std::vector<golden_figures>& recorded,
                                                      const os::instruction_counts& counts,
                                                      std::string_view update);

/// The same for the limits: each label has one, and each limit a label.
[[nodiscard]] std::vector<std::string> compare_limits(const std::vector<instruction_limit>& limits,
                                                      const os::instruction_counts& counts);

/// Effects: expects (gtest) that counting succeeded, that every label stays within its limit, and
/// that its figures are the golden ones of `name`, where such are recorded beside `test_file` for
/// this build.
void expect_golden(const os::instruction_counts& counts, std::string_view name,
                   const std::vector<instruction_limit>& limits,
                   const char* test_file = __builtin_FILE());

/// A suite of such tests: skips as a whole where counts mean nothing.
class golden_test : public testing::Test {
protected:
    void SetUp() override;
};

} // namespace resident::test
