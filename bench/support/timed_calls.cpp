#include "support/timed_calls.hpp"

#include "os/harness/realtime_thread.hpp"
#include "resident/page_lock.hpp"
#include "resident/prepare.hpp"

#include <algorithm>
#include <new>

namespace resident::bench {

/// On pages of its own: nobody else's data are locked with it.
struct timing_process::locked_records {
    explicit locked_records(std::uint32_t live) : slots(live) {}

    call_times times{};
    std::vector<held_block> slots;
    page_lock times_lock{};
    page_lock slots_lock{};
};

timing_process::timing_process(bool is_prepared, std::uint32_t live)
    : records_(std::make_unique<locked_records>(live)) {
    if (!is_prepared) {
        // Or the first calls of each kind would be charged for the code that they consist of. No
        // other item: malloc is a contestant.
        (void)prepare_process({.keep_malloc_memory = false,
                               .single_malloc_arena = false,
                               .exclude_from_merging = false,
                               .lock_code = true});
    }
    auto times_lock = page_lock::create(&records_->times, sizeof(call_times));
    auto slots_lock =
        page_lock::create(records_->slots.data(), records_->slots.size() * sizeof(held_block));
    records_->times.records_locked = times_lock && slots_lock;
    if (times_lock) {
        records_->times_lock = std::move(*times_lock);
    }
    if (slots_lock) {
        records_->slots_lock = std::move(*slots_lock);
    }
}

timing_process::~timing_process() = default;

void timing_process::become_realtime() {
    const int priority = std::min(os::lowest_priority() + 79, os::highest_priority());
    records_->times.realtime_error = os::become_realtime(priority);
}

call_times& timing_process::times() noexcept { return records_->times; }
std::span<held_block> timing_process::slots() noexcept { return records_->slots; }

} // namespace resident::bench
