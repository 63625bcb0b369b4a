#include "tool/replay_child.hpp"

#include "os/harness/instruction_counter.hpp"
#include "os/harness/periodic_clock.hpp"
#include "os/harness/process_memory.hpp"
#include "os/harness/realtime_thread.hpp"
#include "os/harness/shared_memory.hpp"
#include "replay/executor.hpp"
#include "replay/sampler.hpp"
#include "resident/memory_limit.hpp"
#include "resident/prepare.hpp"
#include "tool/exit_code.hpp"
#include "tool/preloaded_malloc.hpp"
#include "tool/replay_contestants.hpp"

#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace resident::tool {
namespace {

using replay::treatment;

void fail(replay_channel& channel, std::string_view reason) noexcept {
    copy_text(channel.outcome.reason, reason);
    channel.stage.store(contest_stage::failed);
}

/// One contestant's run, on the process's main thread.
class replay_in_child final : public replay_run {
public:
    explicit replay_in_child(const replay_memory& memory)
        : memory_(memory), channel_(memory.channel()) {}

    void with_malloc() override {
        replay::malloc_source source;
        run(source, [] {});
    }
    void with_resource(std::pmr::memory_resource& resource,
                       const std::function<arena_use()>& use) override {
        replay::resource_source source(resource);
        run(source, [&] {
            if (use)
                tell(use());
        });
    }
    void with_pool(unsynchronized_pool_resource& pool) override { run_on(pool); }
    void with_pool(synchronized_pool_resource& pool) override { run_on(pool); }
    void without_room() override {
        channel_.outcome.execution.refusal.what = replay::finding::kind::no_room;
        fail(channel_, "the pool itself does not fit");
    }
    void without_memory() override {
        replay::empty_source source;
        run(source, [] {});
    }

    /// For samples; null otherwise.
    os::stepper* stepper = nullptr;

private:
    template <class Pool>
    void run_on(Pool& pool) {
        replay::pool_source source(pool);
        const auto tell_use = [&] { tell(use_of(pool.source())); }; // by this pool alone
        tell_use();                                                 // also if a request is refused
        run(source, tell_use);
    }

    void tell(const arena_use& use) {
        channel_.outcome.memory_held = use.peak_held;
        channel_.outcome.arena_bytes = use.arena_bytes;
        channel_.outcome.arena_locked = use.locked;
        copy_text(channel_.outcome.page_kind, to_string(use.pages));
    }

    /// `look` is called after the last event.
    template <class Source, class Look>
    void run(Source& source, Look look) {
        if (stepper != nullptr) {
            sample(source);
        } else if (channel_.order.mode == replay_mode::verify) {
            execute<treatment::check>(source, look);
        } else {
            execute<treatment::touch>(source, look);
        }
    }

    template <treatment Treatment, class Source, class Look>
    void execute(Source& source, Look look) {
        replay::executor<Source, Treatment> executor(
            source, {.operations = memory_.operations(), .slots = memory_.slots()},
            channel_.order.workers, give_up, &channel_);
        memory_.touch();
        const bool restarted = os::restart_peak_of_memory();
        const os::process_memory before = os::read_process_memory();
        channel_.stage.store(contest_stage::ready);
        while (next_chunk()) {
            executor.run(memory_.first(), channel_.first_event);
            channel_.outcome.execution = executor.done();
            channel_.done.store(channel_.handed.load());
        }
        const os::process_memory after = os::read_process_memory();
        channel_.outcome.memory_held =
            after.peak_resident -
            std::min(after.peak_resident, restarted ? before.resident : before.peak_resident);
        look();
        executor.finish();
        channel_.outcome.execution = executor.done();
    }

    template <class Source>
    void sample(Source& source) {
        const replay_order& order = channel_.order;
        replay::sampler<Source> sampler(
            source, {.operations = memory_.operations(), .slots = memory_.slots()}, *stepper,
            {order.allocations, order.samples}, {order.frees, order.samples});
        memory_.touch();
        channel_.stage.store(contest_stage::ready);
        while (next_chunk()) {
            channel_.outcome.execution.refusal = sampler.run(channel_.count, channel_.first_event);
            channel_.done.store(channel_.handed.load());
        }
    }

    /// Waits for a chunk. Returns: false if there is none any more.
    [[nodiscard]] bool next_chunk() const {
        constexpr std::int64_t pause = 50'000; // ns
        while (channel_.handed.load() == channel_.done.load())
            os::sleep_until(os::monotonic_nanoseconds() + pause);
        return !channel_.last;
    }

    [[noreturn]] static void give_up(void* channel, std::string_view why) {
        fail(*static_cast<replay_channel*>(channel), why);
        std::_Exit(exit_check_failed);
    }

    replay_memory memory_;
    replay_channel& channel_;
};

sampled_calls summarized(const os::call_counts* calls) {
    if (calls == nullptr)
        return {};
    return {.calls = calls->calls(),
            .median = calls->median(),
            .p99 = calls->percentile(99),
            .max = calls->max()};
}

/// In a child of this process, which is the one that meets the chunks.
void run_stepped(const replay_contestant& who, const replay_memory& memory) {
    replay_channel& channel = memory.channel();
    const os::instruction_counts counts = os::count_instructions([&](os::stepper& stepper) {
        replay_in_child run(memory);
        run.stepper = &stepper;
        who.run(channel.order, run);
    });
    if (!counts.refused.empty())
        return fail(channel, counts.refused);
    if (!counts.failure.empty())
        return fail(channel, counts.failure);
    channel.outcome.allocations = summarized(counts.find(replay::allocate_label));
    channel.outcome.frees = summarized(counts.find(replay::free_label));
}

void prepare(const replay_contestant& who, const replay_order& order) {
    if (const std::optional<int> processor = processor_of_replay(order.threads))
        os::pin_to_processor(*processor);
    const bool locks_arena = who.is_arena && order.lock;
    const auto prepared = prepare_process(
        {.keep_malloc_memory = who.is_locked_malloc,
         .single_malloc_arena = who.is_locked_malloc && order.threads, // the one that was grown
         .lock_all = {.current = who.is_locked_malloc, .future = who.is_locked_malloc},
         .leave_lockable =
             locks_arena ? arena::memlock_needed({.capacity = order.arena_capacity}) : 0});
    if (!prepared)
        throw std::runtime_error(prepared.error().what());
}

} // namespace

std::optional<int> processor_of_replay(bool has_threads) {
    const std::vector<int> processors = os::allowed_processors();
    if (has_threads || processors.empty())
        return std::nullopt;
    return processors.back();
}

int run_replay_child() {
    std::string reason;
    const auto shared = os::shared_memory::open(3, reason);
    if (!shared)
        return exit_usage;
    const replay_memory memory(shared->data());
    replay_channel& channel = memory.channel();
    const replay_contestant& who = all_replay_contestants()[channel.order.contestant];
    if (const std::string other = why_other_malloc(who.preload); !other.empty()) {
        fail(channel, other);
        return exit_check_failed;
    }
    try {
        prepare(who, channel.order);
        if (channel.order.mode == replay_mode::sample) {
            run_stepped(who, memory);
        } else {
            replay_in_child run(memory);
            who.run(channel.order, run);
        }
    } catch (const std::exception& failure) {
        fail(channel, failure.what());
    }
    if (channel.stage.load() == contest_stage::failed)
        return exit_check_failed;
    channel.stage.store(contest_stage::finished);
    return exit_success;
}

} // namespace resident::tool
