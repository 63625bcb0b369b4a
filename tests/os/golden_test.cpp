// Concerns: golden figures survive being written and read; a figure that moves, a label that is
// lost or new, and a limit exceeded are each told, with the numbers and the way to accept them; a
// build without figures is held to its limits; updating writes what is compared next.
// Plan: each function against figures made up here; expect_golden against a folder of its own, with
// its complaints caught.

#include "support/golden.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace resident;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

os::call_counts calls(const std::string& label, std::uint32_t count, std::uint32_t worst) {
    os::call_counts made{.label = label, .instructions = std::vector<std::uint32_t>(200, count)};
    made.instructions[170] = worst;
    made.worst_call = 170;
    made.worst_note = "64 bytes";
    return made;
}

os::instruction_counts two_labels() {
    return {.labels = {calls("free", 20, 22), calls("allocate, fresh", 30, 57)}};
}

const std::vector<test::golden_figures> recorded{{"allocate, fresh", 30, 30, 57},
                                                 {"free", 20, 20, 22}};

TEST(golden, figures_come_back_from_their_text) {
    const std::string text = test::format_golden(test::figures_of(two_labels()));
    EXPECT_THAT(text, HasSubstr("\nallocate, fresh         "));
    EXPECT_THAT(text, HasSubstr("       30       30       57\n"));
    EXPECT_EQ(test::parse_golden(text), recorded); // in the order of their labels
    EXPECT_EQ(test::parse_golden(""), std::vector<test::golden_figures>{});
}

TEST(golden, a_label_may_be_long_or_hold_numbers) {
    std::vector<test::golden_figures> figures(1);
    figures[0] = {std::string(100, 'x') + " 16 B", 1, 2, 3};
    EXPECT_EQ(test::parse_golden(test::format_golden(figures)), figures);
}

TEST(golden, damaged_text_is_noticed) {
    for (const char* text : {"free 1 2", "1 2 3", "free 1 2 x", "free 1 2 3x", "free 1 -2 3",
                             "free 1 2 5000000000", "free", "   "})
        EXPECT_FALSE(test::parse_golden(text)) << text;
}

TEST(golden, equal_figures_are_no_complaint) {
    EXPECT_THAT(test::compare_golden(recorded, two_labels(), "update"), IsEmpty());
}

TEST(golden, each_figure_that_moves_is_told) {
    for (auto figure :
         {&test::golden_figures::median, &test::golden_figures::p99, &test::golden_figures::max}) {
        for (const std::uint32_t change : {1u, ~0u}) { // better is a change too
            auto other = recorded;
            other[0].*figure += change;
            EXPECT_EQ(test::compare_golden(other, two_labels(), "update").size(), 1u);
        }
    }
}

TEST(golden, a_complaint_has_the_label_both_figures_the_worst_call_and_the_command) {
    auto other = recorded;
    other[0].max = 50;
    EXPECT_THAT(test::compare_golden(other, two_labels(), "RUN THIS"),
                ElementsAre("\"allocate, fresh\": measured median 30, p99 30, max 57; golden "
                            "median 30, p99 30, max 50; call 170 took 57: 64 bytes\n"
                            "If that is meant, say why in the commit that takes it over with\n"
                            "  RUN THIS"));
}

TEST(golden, labels_lost_and_new_are_told) {
    auto other = recorded;
    other[1].label = "deallocate";
    EXPECT_THAT(test::compare_golden(other, two_labels(), "update"),
                ElementsAre(AllOf(HasSubstr("\"free\": measured median 20"),
                                  HasSubstr("nothing golden is recorded")),
                            HasSubstr("\"deallocate\": not measured; golden median 20")));
}

TEST(golden, a_limit_holds_up_to_itself) {
    EXPECT_THAT(test::compare_limits({{"allocate, fresh", 57}, {"free", 22}}, two_labels()),
                IsEmpty());
    EXPECT_THAT(test::compare_limits({{"allocate, fresh", 56}, {"free", 22}}, two_labels()),
                ElementsAre("\"allocate, fresh\": exceeds its limit of 56; call 170 took 57: "
                            "64 bytes"));
}

TEST(golden, a_limit_without_a_label_and_a_label_without_a_limit_are_told) {
    EXPECT_THAT(test::compare_limits({{"free", 22}, {"grow", 1}}, two_labels()),
                ElementsAre("\"grow\": has a limit, but was not measured",
                            HasSubstr("\"allocate, fresh\": has no limit")));
}

// ---- expect_golden, with files

/// The folder of a test that there is not, and no wish to update.
class golden_files : public testing::Test {
protected:
    golden_files() {
        std::string pattern = (std::filesystem::temp_directory_path() / "golden-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
        unsetenv("RESIDENT_UPDATE_GOLDEN");
    }
    ~golden_files() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] std::filesystem::path file() const {
        return folder_ / "golden" / ("calls." + test::golden_build() + ".txt");
    }
    /// Returns: what expect_golden complains of.
    [[nodiscard]] std::vector<std::string>
    complaints(const os::instruction_counts& counts,
               const std::vector<test::instruction_limit>& limits = {{"allocate, fresh", 60},
                                                                     {"free", 60}}) const {
        testing::TestPartResultArray parts;
        {
            const testing::ScopedFakeTestPartResultReporter reporter(
                testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &parts);
            test::expect_golden(counts, "calls", limits, (folder_ / "calls_test.cpp").c_str());
        }
        std::vector<std::string> texts;
        for (int part = 0; part < parts.size(); ++part)
            texts.emplace_back(parts.GetTestPartResult(part).message());
        return texts;
    }
    void update(const os::instruction_counts& counts) const {
        setenv("RESIDENT_UPDATE_GOLDEN", "1", 1);
        EXPECT_THAT(complaints(counts), IsEmpty());
        unsetenv("RESIDENT_UPDATE_GOLDEN");
    }

private:
    std::filesystem::path folder_;
};

TEST_F(golden_files, without_figures_the_limits_alone_count) {
    EXPECT_THAT(complaints(two_labels()), IsEmpty());
    EXPECT_THAT(complaints(two_labels(), {{"allocate, fresh", 60}, {"free", 21}}),
                ElementsAre(HasSubstr("exceeds its limit")));
    EXPECT_FALSE(std::filesystem::exists(file())); // only updating writes
}

TEST_F(golden_files, updating_writes_what_is_compared_next) {
    update(two_labels());
    EXPECT_TRUE(std::filesystem::exists(file()));
    EXPECT_THAT(complaints(two_labels()), IsEmpty());
    auto changed = two_labels();
    changed.labels[0].instructions[170] = 23;
    EXPECT_THAT(complaints(changed),
                ElementsAre(AllOf(HasSubstr("\"free\": measured"), HasSubstr("golden_files."),
                                  HasSubstr("RESIDENT_UPDATE_GOLDEN=1 /"))));
    update(changed);
    EXPECT_THAT(complaints(changed), IsEmpty());
}

TEST_F(golden_files, a_damaged_file_is_told_and_mended_by_updating) {
    update(two_labels());
    std::ofstream(file(), std::ios::app) << "half a li";
    EXPECT_THAT(complaints(two_labels()), ElementsAre(HasSubstr("is damaged")));
    update(two_labels());
    EXPECT_THAT(complaints(two_labels()), IsEmpty());
}

TEST_F(golden_files, a_run_that_failed_has_no_figures) {
    auto failed = two_labels();
    failed.failure = "the child was ended by signal 6 (Aborted)";
    EXPECT_THAT(complaints(failed), ElementsAre(HasSubstr("signal 6")));
    failed.failure.clear();
    failed.refused = "not here";
    EXPECT_THAT(complaints(failed), ElementsAre(HasSubstr("not here")));
}

} // namespace
