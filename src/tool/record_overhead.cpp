#include "os/harness/child_process.hpp"
#include "tool/exit_code.hpp"
#include "tool/record.hpp"
#include "tool/recorder_preload.hpp"
#include "trace/blank_trace.hpp"
#include "trace/trace_file.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <stdexcept>
#include <vector>

namespace resident::tool {
namespace {

constexpr std::size_t live = 1000;
constexpr std::size_t pairs = 2'000'000;
constexpr int repetitions = 5;

/// Returns: nanoseconds a call.
double measure_child(const std::vector<std::string>& environment) {
    std::string reason;
    auto child = os::child_process::start(
        {.arguments = {"resident", "malloc-child"}, .environment = environment}, reason);
    if (!child)
        throw std::runtime_error(reason);
    if (child->wait().exit_code != 0)
        throw std::runtime_error("the loop that is measured failed: " + child->output());
    return std::strtod(child->output().c_str(), nullptr);
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

} // namespace

int run_malloc_child() {
    std::mt19937 random(1);
    std::array<void*, live> blocks{};
    std::vector<std::uint16_t> sizes(4096);
    for (std::uint16_t& size : sizes)
        size = static_cast<std::uint16_t>(1 + random() % 512);
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t pair = 0; pair < pairs; ++pair) {
        void*& block = blocks[(pair * 7919) % live];
        std::free(block);                                // NOLINT: what is measured
        block = std::malloc(sizes[pair % sizes.size()]); // NOLINT
    }
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - begin;
    for (void* block : blocks)
        std::free(block); // NOLINT
    fmt::print("{}\n", taken.count() / static_cast<double>(2 * pairs));
    return exit_success;
}

int run_record_overhead(const record_options& options) {
    const std::string file = std::filesystem::absolute(options.output + ".overhead").string();
    const recorder_preload preload;
    std::vector<double> without;
    std::vector<double> with;
    double bytes = 0;
    for (int repetition = 0; repetition < repetitions; ++repetition) {
        without.push_back(measure_child({}));
        if (const auto wrong = trace::create_blank_trace(file, 1))
            throw std::runtime_error(file + ": " + *wrong);
        with.push_back(measure_child({preload.setting(), "RESIDENT_RECORD_FILE=" + file}));
        bytes = static_cast<double>(std::filesystem::file_size(file));
        std::filesystem::remove(file);
    }
    const double before = median(without);
    const double after = median(with);
    fmt::print("malloc and free of 1 to 512 bytes, {} live, {} calls, median of {} runs\n"
               "  alone            {:6.1f} ns a call\n"
               "  recorded         {:6.1f} ns a call, {:.2f} times as long\n"
               "  recording costs  {:6.1f} ns and {:.1f} bytes a call\n",
               live, 2 * pairs, repetitions, before, after, after / before, after - before,
               bytes / static_cast<double>(2 * pairs));
    return exit_success;
}

} // namespace resident::tool
