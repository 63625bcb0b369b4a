#include "tool/contest_child.hpp"

#include "os/harness/realtime_thread.hpp"
#include "os/harness/shared_memory.hpp"
#include "resident/arena.hpp"
#include "resident/memory_limit.hpp"
#include "resident/page_lock.hpp"
#include "tool/contestants.hpp"
#include "tool/exit_code.hpp"
#include "tool/periodic_loop.hpp"
#include "tool/preloaded_malloc.hpp"
#include "tool/quantities.hpp"
#include "tool/record_store.hpp"
#include "tool/second_thread.hpp"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace resident::tool {
namespace {

constexpr std::size_t thread_stack = 256_KiB;
constexpr std::size_t locked_stack = 128_KiB;
/// Records looked up in each period, beside the one taken in and the one evicted.
constexpr int lookups_per_period = 4;
constexpr std::uint64_t warm_up_periods = 50;

/// What the loop does in a period.
template <class Store>
class store_work {
public:
    explicit store_work(Store& store) : store_(store) {}
    void operator()() {
        store_.take_next();
        for (int lookup = 0; lookup < lookups_per_period; ++lookup) {
            checksum_ += store_.look_up_any();
        }
    }
    [[nodiscard]] std::uint64_t checksum() const noexcept { return checksum_; }

private:
    Store& store_;
    std::uint64_t checksum_ = 0;
};

/// The same, but what goes out goes to a second thread.
template <class Store>
class shared_work {
public:
    using removed = typename Store::removed_record;

    shared_work(Store& store, second_thread<removed>& other)
        : store_(store), other_(other), work_(store) {}
    void operator()() {
        // Without room it is freed here, by take_next: this thread waits for nobody.
        if (store_.full() && other_.has_room())
            other_.pass(store_.remove_oldest());
        work_();
    }
    [[nodiscard]] std::uint64_t checksum() const noexcept { return work_.checksum(); }

private:
    Store& store_;
    second_thread<removed>& other_;
    store_work<Store> work_;
};

void sleep_a_millisecond() { os::sleep_until(os::monotonic_nanoseconds() + 1'000'000); }

/// One contestant's run, on the loop's thread.
class contest_in_child final : public contest_run {
public:
    contest_in_child(contest_channel& channel, const record_view& input, bool process_locked)
        : channel_(channel), input_(input), process_locked_(process_locked),
          processors_(os::allowed_processors()) {}

    /// Throws nothing: what goes wrong goes into the channel.
    void run() noexcept {
        const contestant& who = all_contestants()[channel_.order.contestant];
        try {
            prepare_thread();
            who.run(channel_.order, *this);
        } catch (const std::bad_alloc&) {
            fail(describe_exhaustion(who));
        } catch (const std::exception& failure) {
            fail(failure.what());
        }
    }

    void with(std::pmr::memory_resource& memory) override { keep_records<pmr_containers>(memory); }

    void with_pool(unsynchronized_pool_resource& pool) override {
        keep_records<pool_containers>(pool);
    }

    void with_shared_pool(synchronized_pool_resource& pool) override {
        channel_.stage.store(contest_stage::filling);
        using store_type = record_store<shared_pool_containers>;
        using removed = store_type::removed_record;
        // As many records in all as the others keep: those on their way are in memory, too.
        const std::size_t kept = channel_.order.records;
        const std::size_t on_their_way = std::min(kept / 8, second_thread<removed>::most_waiting);
        store_type store(input_, kept - on_their_way, pool);
        bool ready = pool.attach_this_thread();
        second_thread<removed> other(on_their_way, [&] {
            ready = prepare_second_thread() && pool.attach_this_thread() && ready;
        });
        channel_.outcome.harness_locked = channel_.outcome.harness_locked && ready;
        shared_work work(store, other);
        fill(store, work, [&] {
            while (!other.has_room() && on_their_way != 0)
                sleep_a_millisecond();
        });
        const std::uint64_t passed_before = other.passed();
        measure(work);
        channel_.outcome.passed_records = other.passed() - passed_before;
        finish(work.checksum());
    }

    void without_work() override {
        const auto nothing = [] {};
        measure(nothing);
        finish(0);
    }

    void note_page_kind(std::string_view kind) override {
        copy_text(channel_.outcome.page_kind, kind);
    }

    void fail(std::string_view reason) {
        copy_text(channel_.outcome.reason, reason);
        channel_.stage.store(contest_stage::failed);
    }

private:
    [[nodiscard]] std::string describe_exhaustion(const contestant& who) const {
        std::string text = "out of memory with " + counted(records_taken_, "record") + " of " +
                           grouped(channel_.order.records) + " taken in";
        const auto limit = read_memory_limit();
        if (who.lock_all && limit && limit->headroom() != unlimited) {
            text += "; after mlockall(MCL_FUTURE) all that malloc gets counts against the memlock "
                    "limit of " +
                    short_size(limit->soft);
        }
        return text;
    }

    void prepare_thread() {
        const contest_order& order = channel_.order;
        const auto prepared = prepare_this_thread({.stack = locked_stack});
        channel_.outcome.harness_locked =
            process_locked_ && prepared.has_value() && prepared->complete();
        if (order.processor >= 0)
            os::pin_to_processor(order.processor);
    }

    /// Keeps it off the loop's processor, if there is another. Returns: whether its stack is
    /// locked.
    [[nodiscard]] bool prepare_second_thread() noexcept {
        if (!processors_.empty())
            os::pin_to_processor(processors_.front()); // the loop's is the last
        const auto prepared = prepare_this_thread({.stack = locked_stack});
        return prepared.has_value() && prepared->complete();
    }

    template <class Containers>
    void keep_records(typename Containers::memory& memory) {
        channel_.stage.store(contest_stage::filling);
        record_store<Containers> store(input_, channel_.order.records, memory);
        store_work work(store);
        fill(store, work, [] {});
        measure(work);
        finish(work.checksum());
    }

    /// Fills the store, then takes the whole input through it once more: every size that the input
    /// asks for has then been given and taken back. Calls `wait` before each record of that pass.
    template <class Store, class Work, class Wait>
    void fill(Store& store, Work& work, Wait wait) {
        while (!store.full()) {
            store.take_next();
            records_taken_ = store.arrivals();
        }
        for (std::size_t arrival = 0; arrival < input_.size(); ++arrival) {
            wait();
            work();
        }
    }

    /// Real-time only now: filling would starve the processor's other threads.
    void become_realtime() {
        if (channel_.order.priority == 0)
            return;
        channel_.outcome.scheduling_error = os::become_realtime(channel_.order.priority);
        channel_.outcome.real_time = channel_.outcome.scheduling_error == 0;
    }

    /// Ends the process without taking the containers down: under pressure that would read back
    /// from swap, node by node, what nobody needs any more.
    [[noreturn]] void finish(std::uint64_t checksum) {
        channel_.outcome.checksum = checksum;
        channel_.stage.store(contest_stage::finished);
        std::_Exit(exit_success);
    }

    template <class Work>
    void measure(Work& work) {
        become_realtime();
        run_stretch(std::min(warm_up_periods, channel_.order.periods), work);
        channel_.outcome.work = {};
        if (const auto limit = read_memory_limit())
            channel_.outcome.locked_bytes = limit->locked;
        channel_.stage.store(contest_stage::ready);
        while (!channel_.go.load())
            sleep_a_millisecond();
        channel_.stage.store(contest_stage::measuring);
        const loop_stretch measured = run_stretch(channel_.order.periods, work);
        channel_.outcome.missed_periods = measured.missed_periods;
        channel_.outcome.minor_faults = measured.counted.minor;
        channel_.outcome.major_faults = measured.counted.major;
    }

    /// Never inlined: the warm-up must run the very instructions that are measured.
    template <class Work>
    [[gnu::noinline]] loop_stretch run_stretch(std::uint64_t periods, Work& work) {
        loop_stretch stretch{.interval = channel_.order.interval,
                             .periods = periods,
                             .periods_done = channel_.periods_done,
                             .work = channel_.outcome.work};
        run_loop(stretch, work);
        return stretch;
    }

    contest_channel& channel_;
    record_view input_;
    bool process_locked_;
    std::vector<int> processors_; ///< of the process; the loop's thread is bound to one
    std::uint64_t records_taken_ = 0;
};

/// What the process must leave of its memlock limit to what comes after its code.
std::size_t memory_to_come(const contest_order& order, const contestant& who) {
    return arena::memlock_needed({.capacity = order.arena_capacity}) +
           (who.has_second_thread ? 2 : 1) * thread_stack;
}

struct loop_thread {
    contest_in_child& run;
    static void enter(void* self) { static_cast<loop_thread*>(self)->run.run(); }
};

int run_contestant(contest_channel& channel, const os::shared_memory& input, bool input_locked) {
    const contestant& who = all_contestants()[channel.order.contestant];
    const auto refuse = [&channel](std::string_view reason) {
        copy_text(channel.outcome.reason, reason);
        channel.stage.store(contest_stage::failed);
        return exit_check_failed;
    };
    if (const std::string other = why_other_malloc(who.preload); !other.empty())
        return refuse(other);
    const auto prepared =
        prepare_process({.keep_malloc_memory = who.keep_malloc_memory,
                         .single_malloc_arena = who.single_malloc_arena,
                         .lock_all = {.current = who.lock_all, .future = who.lock_all},
                         .leave_lockable = memory_to_come(channel.order, who)});
    if (!prepared)
        return refuse(prepared.error().what());
    contest_in_child run(channel, record_view::unpack(input.data()),
                         input_locked && prepared->complete());
    loop_thread thread{run};
    const std::string failure = os::run_on_thread(thread_stack, loop_thread::enter, &thread);
    if (!failure.empty())
        return refuse(failure);
    return exit_check_failed; // a run that succeeds ends the process itself
}

} // namespace

int run_contest_child() {
    std::string reason;
    const auto channel_memory = os::shared_memory::open(3, reason);
    const auto input = os::shared_memory::open(4, reason);
    if (!channel_memory || !input)
        return exit_usage;
    auto& channel = *static_cast<contest_channel*>(channel_memory->data());
    (void)raise_memory_limit(); // where that fails, the locks below tell
    const auto channel_lock = page_lock::create(channel_memory->data(), channel_memory->size());
    const auto input_lock = page_lock::create(input->data(), input->size());
    return run_contestant(channel, *input, channel_lock.has_value() && input_lock.has_value());
}

} // namespace resident::tool
