#include "tool/contest.hpp"

#include "os/harness/child_process.hpp"
#include "os/harness/realtime_thread.hpp"
#include "resident/size_literals.hpp"
#include "tool/contestants.hpp"
#include "tool/preloaded_malloc.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <stdexcept>

namespace resident::tool {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto poll_interval = 20ms;

/// For what should take seconds: filling, and the hog's first pass. Disks that swap 4 MiB a second
/// are slow enough.
std::chrono::seconds longest_preparation(std::size_t arena_capacity) {
    return 60s + std::chrono::seconds(arena_capacity / 2_MiB);
}

/// The last of those allowed: interrupts are mostly served by the first.
int processor_for_loop() {
    const std::vector<int> allowed = os::allowed_processors();
    return allowed.empty() ? -1 : allowed.back();
}

bool takes_part(const demo_options& options, const contestant& who) {
    return options.contestants.empty() ||
           std::find(options.contestants.begin(), options.contestants.end(), who.name) !=
               options.contestants.end();
}

/// Why a child ended before it had finished.
std::string describe_end(const contest_channel& channel, os::child_process& child) {
    if (channel.outcome.reason[0] != '\0')
        return channel.outcome.reason.data();
    const os::child_end end = child.wait();
    std::string text = end.signal != 0 ? fmt::format("ended by signal {}", end.signal)
                                       : fmt::format("ended with exit code {}", end.exit_code);
    if (end.signal == 9)
        text += ", most likely by the OOM killer of its memory cgroup";
    const std::string said = first_own_line(child.output());
    return said.empty() ? text : text + ": " + said;
}

void add_outcome(contest_result& result, const contest_outcome& outcome) {
    result.work.merge(outcome.work);
    result.minor_faults += outcome.minor_faults;
    result.major_faults += outcome.major_faults;
    result.missed_periods += outcome.missed_periods;
    result.passed_records += outcome.passed_records;
    result.locked_bytes = std::max(result.locked_bytes, outcome.locked_bytes);
    result.scheduling_error = outcome.scheduling_error;
    result.real_time = outcome.real_time;
    result.harness_locked = result.harness_locked && outcome.harness_locked;
    result.page_kind = outcome.page_kind.data();
    result.rounds.push_back({.p50 = outcome.work.percentile(0.5),
                             .p99 = outcome.work.percentile(0.99),
                             .p999 = outcome.work.percentile(0.999),
                             .longest = outcome.work.largest()});
}

} // namespace

contest::contest(const demo_options& options, const workload& load, const os::shared_memory& input,
                 pressure& beside, os::termination_signals& signals, progress_report report)
    : options_(options), load_(load), input_(input), pressure_(beside), signals_(signals),
      report_(std::move(report)), processor_(processor_for_loop()) {
    progress_.rounds = rounds_of(options);
}

unsigned contest::rounds_of(const demo_options& options) {
    return static_cast<unsigned>(std::clamp<std::int64_t>(options.duration / 1s, 1, 3));
}

std::vector<contest_result> contest::run() {
    std::vector<contest_result> results;
    for (const contestant& who : all_contestants()) {
        if (takes_part(options_, who)) {
            results.emplace_back();
            results.back().who = &who;
            results.back().measured = true;
        }
    }
    turns_ = results.size() * progress_.rounds;
    for (progress_.round = 0; progress_.round < progress_.rounds; ++progress_.round) {
        for (std::size_t turn = 0; turn < results.size(); ++turn) {
            contest_result& result = results[(turn + 2 * progress_.round) % results.size()];
            if (result.measured)
                take_turn(result);
            ++turns_taken_;
        }
    }
    return results;
}

void contest::take_turn(contest_result& result) {
    const contestant& who = *result.who;
    std::string reason;
    auto memory = os::shared_memory::create("contest", sizeof(contest_channel), reason);
    if (!memory)
        throw std::runtime_error(reason);
    auto& channel = *new (memory->data()) contest_channel;
    channel.order = {.contestant =
                         static_cast<std::uint32_t>(result.who - all_contestants().data()),
                     .priority = options_.priority,
                     .processor = processor_,
                     .interval = options_.interval.count(),
                     .periods = static_cast<std::uint64_t>(options_.duration / options_.interval) /
                                progress_.rounds,
                     .arena_capacity = load_.arena_capacity,
                     .records = load_.kept_records};
    // Binding a function at its first call is a fault in the loop.
    const std::vector<std::string> environment{"LD_BIND_NOW=1", preload_variable(who.preload)};
    auto child =
        os::child_process::start({.arguments = {"resident", "contest-child"},
                                  .environment = environment,
                                  .descriptors = {memory->descriptor(), input_.descriptor()},
                                  .cgroup = pressure_.cgroup()},
                                 reason);
    if (!child)
        throw std::runtime_error("a contestant does not start: " + reason);
    progress_.contestant = who.name;
    follow(channel, *child);
    pressure_.stop_hog();
    if (channel.stage.load() == contest_stage::finished) {
        add_outcome(result, channel.outcome);
    } else {
        result.measured = false;
        result.reason = describe_end(channel, *child);
    }
}

/// From the start of a turn to its end, in whatever way.
void contest::follow(contest_channel& channel, os::child_process& child) {
    enum class step { preparing, pressing, measuring } now = step::preparing;
    auto deadline = steady_clock::now() + longest_preparation(load_.arena_capacity);
    for (;;) {
        check_signals(poll_interval);
        if (child.poll())
            return;
        tell(channel);
        const contest_stage stage = channel.stage.load();
        if (stage == contest_stage::failed)
            return;
        if (now == step::preparing && stage == contest_stage::ready) {
            pressure_.start_hog(processor_);
            now = step::pressing;
        }
        if (now == step::pressing && pressure_.hog_is_in_full_swing()) {
            channel.go.store(true);
            deadline += options_.duration * 2;
            now = step::measuring;
        }
        if (steady_clock::now() > deadline) {
            copy_text(channel.outcome.reason,
                      "took too long to " + std::string(now == step::preparing ? "prepare"
                                                        : now == step::pressing
                                                            ? "come under pressure"
                                                            : "finish"));
            child.kill();
            return;
        }
    }
}

void contest::check_signals(std::chrono::milliseconds longest) {
    const int signal = signals_.wait(longest);
    if (signal != 0)
        throw interrupted{signal};
}

void contest::tell(const contest_channel& channel) {
    double share_of_turn = 0;
    switch (channel.stage.load()) {
    case contest_stage::starting:
        progress_.doing = "setting up";
        break;
    case contest_stage::filling:
        progress_.doing = "taking in records";
        break;
    case contest_stage::ready:
        progress_.doing = "building up pressure";
        break;
    default:
        progress_.doing = "measuring";
        share_of_turn = static_cast<double>(channel.periods_done.load()) /
                        static_cast<double>(channel.order.periods);
    }
    progress_.share = (static_cast<double>(turns_taken_) + std::min(share_of_turn, 1.0)) /
                      static_cast<double>(turns_);
    report_(progress_);
}

} // namespace resident::tool
