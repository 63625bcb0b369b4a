#include "support/golden.hpp"

#include "os/harness/output_file.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>

namespace resident::test {
namespace {

constexpr const char* update_variable = "RESIDENT_UPDATE_GOLDEN";

std::string compiler() {
#if defined(__clang__)
    return "clang-" + std::to_string(__clang_major__);
#elif defined(__GNUC__)
    return "g++-" + std::to_string(__GNUC__);
#else
    return "unknown";
#endif
}

/// Takes the last word off `line`, which must be a number.
std::optional<std::uint32_t> take_number(std::string_view& line) {
    line = line.substr(0, line.find_last_not_of(' ') + 1);
    const std::size_t start = line.rfind(' ') + 1; // 0 if there is no space
    const std::string_view word = line.substr(start);
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc() || end != word.data() + word.size())
        return std::nullopt;
    line = line.substr(0, start);
    return number;
}

std::optional<golden_figures> parse_line(std::string_view line) {
    const auto max = take_number(line);
    const auto p99 = max ? take_number(line) : max;
    const auto median = p99 ? take_number(line) : p99;
    const std::string_view label = line.substr(0, line.find_last_not_of(' ') + 1);
    if (!median || label.empty())
        return std::nullopt;
    return golden_figures{std::string(label), *median, *p99, *max};
}

const golden_figures* find(const std::vector<golden_figures>& figures, std::string_view label) {
    const auto found = std::find_if(figures.begin(), figures.end(),
                                    [&](const auto& each) { return each.label == label; });
    return found == figures.end() ? nullptr : &*found;
}

std::string text_of(const golden_figures& figures) {
    std::ostringstream text;
    text << figures;
    return text.str();
}

/// "; call 17 took 90: 64 bytes"
std::string worst_of(const os::call_counts& calls) {
    std::string text =
        "; call " + std::to_string(calls.worst_call) + " took " + std::to_string(calls.max());
    return calls.worst_note.empty() ? text : text + ": " + calls.worst_note;
}

std::string update_command() {
    const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
    std::error_code error;
    const std::string program = std::filesystem::read_symlink("/proc/self/exe", error).string();
    return std::string(update_variable) + "=1 " + program +
           " --gtest_filter=" + test.test_suite_name() + '.' + test.name();
}

void update(const std::filesystem::path& path, const std::string& text) {
    bool made = false;
    std::string reason;
    if (!os::make_folder(path.parent_path().string(), made, reason) ||
        !os::output_file::write(path.string(), text, reason)) {
        ADD_FAILURE() << reason;
        return;
    }
    std::cout << "[ golden   ] wrote " << path.string() << '\n';
}

void compare(const std::filesystem::path& path, const os::instruction_counts& counts) {
    std::ifstream file(path);
    if (!file) {
        std::cout << "[ golden   ] none recorded for " << golden_build()
                  << ": the limits alone are checked\n";
        return;
    }
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto recorded = parse_golden(text);
    if (!recorded) {
        ADD_FAILURE() << path.string() << " is damaged; to write it anew: " << update_command();
        return;
    }
    for (const std::string& complaint : compare_golden(*recorded, counts, update_command()))
        ADD_FAILURE() << complaint;
}

} // namespace

std::ostream& operator<<(std::ostream& out, const golden_figures& figures) {
    return out << "median " << figures.median << ", p99 " << figures.p99 << ", max " << figures.max;
}

std::string golden_build() { return compiler() + (has_exceptions ? "" : "-noexcept"); }

std::string format_golden(std::vector<golden_figures> figures) {
    std::sort(figures.begin(), figures.end(),
              [](const auto& one, const auto& other) { return one.label < other.label; });
    std::string text = "# Instructions a call. Written by the test, with " +
                       std::string(update_variable) + "=1 in the environment.\n";
    char line[256];
    std::snprintf(line, sizeof line, "%-48s %8s %8s %8s\n", "# label", "median", "p99", "max");
    text += line;
    for (const golden_figures& each : figures) {
        std::snprintf(line, sizeof line, "%-48s %8u %8u %8u\n", each.label.c_str(), each.median,
                      each.p99, each.max);
        text += line;
    }
    return text;
}

std::optional<std::vector<golden_figures>> parse_golden(std::string_view text) {
    std::vector<golden_figures> figures;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (line.empty() || line.front() == '#')
            continue;
        auto parsed = parse_line(line);
        if (!parsed)
            return std::nullopt;
        figures.push_back(std::move(*parsed));
    }
    return figures;
}

std::vector<golden_figures> figures_of(const os::instruction_counts& counts) {
    std::vector<golden_figures> figures;
    for (const os::call_counts& calls : counts.labels)
        figures.push_back({calls.label, calls.median(), calls.p99(), calls.max()});
    return figures;
}

std::vector<std::string> compare_golden(const std::vector<golden_figures>& recorded,
                                        const os::instruction_counts& counts,
                                        std::string_view update) {
    std::vector<std::string> complaints;
    const std::vector<golden_figures> measured = figures_of(counts);
    for (const golden_figures& now : measured) {
        const golden_figures* golden = find(recorded, now.label);
        if (golden == nullptr) {
            complaints.push_back('"' + now.label + "\": measured " + text_of(now) +
                                 "; nothing golden is recorded");
        } else if (!(*golden == now)) {
            complaints.push_back('"' + now.label + "\": measured " + text_of(now) + "; golden " +
                                 text_of(*golden) + worst_of(counts[now.label]));
        }
    }
    for (const golden_figures& golden : recorded) {
        if (find(measured, golden.label) == nullptr)
            complaints.push_back('"' + golden.label + "\": not measured; golden " +
                                 text_of(golden));
    }
    for (std::string& complaint : complaints) {
        complaint += "\nIf that is meant, say why in the commit that takes it over with\n  ";
        complaint += update;
    }
    return complaints;
}

std::vector<std::string> compare_limits(const std::vector<instruction_limit>& limits,
                                        const os::instruction_counts& counts) {
    std::vector<std::string> complaints;
    for (const instruction_limit& limit : limits) {
        const os::call_counts* calls = counts.find(limit.label);
        if (calls == nullptr) {
            complaints.push_back('"' + limit.label + "\": has a limit, but was not measured");
        } else if (calls->max() > limit.max) {
            complaints.push_back('"' + limit.label + "\": exceeds its limit of " +
                                 std::to_string(limit.max) + worst_of(*calls));
        }
    }
    for (const os::call_counts& calls : counts.labels) {
        if (std::none_of(limits.begin(), limits.end(),
                         [&](const auto& limit) { return limit.label == calls.label; }))
            complaints.push_back('"' + calls.label + "\": has no limit" + worst_of(calls));
    }
    return complaints;
}

void expect_golden(const os::instruction_counts& counts, std::string_view name,
                   const std::vector<instruction_limit>& limits, const char* test_file) {
    ASSERT_EQ(counts.refused, "");
    ASSERT_EQ(counts.failure, "");
    for (const std::string& complaint : compare_limits(limits, counts))
        ADD_FAILURE() << complaint;
    const std::filesystem::path path = std::filesystem::path(test_file).parent_path() / "golden" /
                                       (std::string(name) + '.' + golden_build() + ".txt");
    if (std::getenv(update_variable) != nullptr) {
        update(path, format_golden(figures_of(counts)));
    } else {
        compare(path, counts);
    }
}

void golden_test::SetUp() {
    if (!counts_are_exact)
        GTEST_SKIP() << "the instructions of an unoptimised or instrumented build say nothing";
    const auto tried = os::count_instructions([](os::stepper&) {});
    if (!tried.refused.empty())
        GTEST_SKIP() << tried.refused;
}

} // namespace resident::test
