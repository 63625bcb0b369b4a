#include "tool/replay_turn.hpp"

#include "os/harness/thread_room.hpp"
#include "os/headroom.hpp"
#include "replay/thread_demand.hpp"
#include "tool/contest.hpp"
#include "tool/preloaded_malloc.hpp"
#include "tool/usage_error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>
#include <stdexcept>
#include <thread>

namespace resident::tool {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// For a chunk, or to prepare: some hundred times what they take.
constexpr auto longest_step = 300s;
/// Between looks at the child.
constexpr auto pause = 50us;

} // namespace

replay_turn::replay_turn(const trace_input& input, os::termination_signals& signals,
                         progress_report progress)
    : input_(input), signals_(signals), progress_(std::move(progress)) {
    const std::string refused =
        replay::why_not_threads(input.summary, os::read_thread_room(), os::read_headroom());
    if (!refused.empty())
        throw std::runtime_error(input.path + ": " + refused);
}

void replay_turn::start(const replay_task& task) {
    const replay::trace_summary& summary = input_.summary;
    const replay_order order{
        .contestant = static_cast<std::uint32_t>(task.who - all_replay_contestants().data()),
        .mode = task.mode,
        .threads = summary.threads > 1,
        .lock = task.lock,
        .workers = summary.most_threads,
        .slots = summary.most_slots,
        .arena_capacity = task.arena_capacity,
        .allocations = summary.allocations,
        .frees = summary.frees,
        .samples = task.samples};
    std::string reason;
    shared_ = os::shared_memory::create("replay", replay_memory::size(order), reason);
    if (!shared_)
        throw std::runtime_error(reason);
    (new (shared_->data()) replay_channel)->order = order;
    // Binding a function at its first call is a fault in the run.
    const std::vector<std::string> environment{"LD_BIND_NOW=1",
                                               preload_variable(task.who->preload)};
    child_ = os::child_process::start({.arguments = {"resident", "replay-child"},
                                       .environment = environment,
                                       .descriptors = {shared_->descriptor()}},
                                      reason);
    if (!child_)
        throw std::runtime_error("a contestant does not start: " + reason);
}

turn_result replay_turn::run(const replay_task& task) {
    turn_result result;
    reason_.clear();
    died_ = false;
    start(task);
    follow(result);
    const replay_channel& channel = replay_memory(shared_->data()).channel();
    result.outcome = channel.outcome;
    result.reason = reason_;
    result.died = died_;
    child_.reset();
    shared_.reset();
    return result;
}

void replay_turn::follow(turn_result& result) {
    const replay_memory memory(shared_->data());
    replay_channel& channel = memory.channel();
    trace_events events(input_.path);
    if (!wait_until([&] { return channel.stage.load() == contest_stage::ready; }, "prepare"))
        return;
    hand_over(events, memory, result);
    if (!reason_.empty())
        return;
    channel.last = true;
    channel.handed.store(channel.handed.load() + 1);
    wait_until([&] { return channel.stage.load() == contest_stage::finished; }, "finish");
}

/// Chunk after chunk, until the trace ends, a request is refused, or the child does.
void replay_turn::hand_over(trace_events& events, const replay_memory& memory,
                            turn_result& result) {
    replay_channel& channel = memory.channel();
    replay::chunk part{.operations = memory.operations()};
    replay::decoder decoder(events);
    replay::live_bytes live;
    while (decoder.next(part)) {
        if (decoder.most_slots() > channel.order.slots ||
            decoder.most_workers() > channel.order.workers)
            throw usage_error(input_.path + ": has changed while it was replayed");
        std::fill(memory.first().begin(), memory.first().end(), replay::no_operation);
        std::copy(part.first.begin(), part.first.end(), memory.first().begin());
        channel.count = part.count;
        channel.first_event = part.first_event;
        const std::uint32_t number = channel.handed.load() + 1;
        channel.handed.store(number);
        if (!wait_until([&] { return channel.done.load() == number; }, "replay a chunk"))
            return;
        const replay::finding& refusal = channel.outcome.execution.refusal;
        for (const replay::operation& now : part.operations.first(part.count)) {
            if (refusal.what != replay::finding::kind::none &&
                part.first_event + now.event == refusal.event)
                break;
            live.apply(now);
        }
        result.live_bytes_at_refusal = live.bytes();
        result.events = decoder.events();
        if (progress_)
            progress_(result.events);
        if (refusal.what != replay::finding::kind::none)
            return;
    }
    events.check();
    if (!decoder.failure().empty())
        throw usage_error(fmt::format("{}: {}", input_.path, decoder.failure()));
}

/// Returns: whether it came to that; otherwise reason_ says why not, and the child has ended.
bool replay_turn::wait_until(const std::function<bool()>& reached, const char* doing) {
    const replay_channel& channel = replay_memory(shared_->data()).channel();
    const auto deadline = steady_clock::now() + longest_step;
    for (unsigned looks = 0; !reached(); ++looks) {
        if (const int signal = signals_.wait(0ms); signal != 0)
            throw interrupted{signal};
        const bool ended = child_->poll().has_value();
        if (reached())
            return true;
        if (channel.stage.load() == contest_stage::failed) {
            reason_ = channel.outcome.reason.data();
            return false;
        }
        if (ended) {
            const os::child_end end = child_->wait();
            died_ = end.signal != 0 || channel.handed.load() != 0;
            reason_ = end.signal != 0 ? fmt::format("ended by signal {} ({})", end.signal,
                                                    ::strsignal(end.signal))
                                      : fmt::format("ended with exit code {}", end.exit_code);
            if (channel.handed.load() != 0)
                reason_ += fmt::format(" while at the events from {}", channel.first_event);
            if (const std::string said = first_own_line(child_->output()); !said.empty())
                reason_ += ": " + said;
            return false;
        }
        if (steady_clock::now() > deadline) {
            reason_ = fmt::format("took more than {} s to {}", longest_step.count(), doing);
            died_ = channel.handed.load() != 0;
            child_->kill();
            return false;
        }
        std::this_thread::sleep_for(looks < 100 ? pause : 20 * pause);
    }
    return true;
}

} // namespace resident::tool
