// Three real-time threads on one processor, where the order of what they do follows from their
// priorities alone.
#pragma once

#include <atomic>
#include <functional>
#include <utility>

#include <pthread.h>
#include <sched.h>

namespace resident::test {

/// `low` holds what `high` waits for; `middle` needs nothing.
///
///     low     hold -+             +-- ... -- release -+
///     high          +-- take: waits                   +-- has it, done
///     middle             started here, must not run   |                 +-- runs
///
/// Without inheritance `middle` runs as soon as it is started, ahead of `low` and so of `high`.
class inversion {
public:
    /// `hold` calls what it is given while it holds the thing; `take` has it for a moment.
    inversion(int processor, std::function<void(const std::function<void()>&)> hold,
              std::function<void()> take)
        : processor_(processor), hold_(std::move(hold)), take_(std::move(take)) {}

    /// Returns: whether real-time priorities are permitted here.
    bool run() {
        pthread_t low{};
        if (start(low, 10, be_low) != 0)
            return false;
        pthread_join(low, nullptr);
        return true;
    }

    int failed = 0;
    bool high_waited = false;
    bool middle_ran_while_held = true;
    bool high_was_done_when_middle_ran = false;

private:
    int start(pthread_t& thread, int priority, void* (*entry)(void*)) {
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        const sched_param parameters{.sched_priority = priority};
        pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
        pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
        pthread_attr_setschedparam(&attributes, &parameters);
        cpu_set_t only;
        CPU_ZERO(&only);
        CPU_SET(static_cast<unsigned>(processor_), &only);
        pthread_attr_setaffinity_np(&attributes, sizeof only, &only);
        const int answer = pthread_create(&thread, &attributes, entry, this);
        pthread_attr_destroy(&attributes);
        return answer;
    }
    static void* be_high(void* opaque) {
        auto* self = static_cast<inversion*>(opaque);
        self->high_has_come_ = true;
        self->take_();
        self->high_is_done_ = true;
        return nullptr;
    }
    static void* be_middle(void* opaque) {
        auto* self = static_cast<inversion*>(opaque);
        self->high_was_done_when_middle_ran = self->high_is_done_;
        self->middle_ran_ = true;
        return nullptr;
    }
    static void* be_low(void* opaque) {
        auto* self = static_cast<inversion*>(opaque);
        pthread_t high{};
        pthread_t middle{};
        bool has_middle = false;
        self->hold_([&] {
            self->failed = self->start(high, 30, be_high);
            if (self->failed != 0)
                return;
            // `high` has gone as far as it can.
            self->high_waited = self->high_has_come_ && !self->high_is_done_;
            self->failed = self->start(middle, 20, be_middle);
            has_middle = self->failed == 0;
            self->middle_ran_while_held = self->middle_ran_;
        });
        if (self->high_has_come_)
            pthread_join(high, nullptr);
        if (has_middle)
            pthread_join(middle, nullptr);
        return nullptr;
    }

    int processor_;
    std::function<void(const std::function<void()>&)> hold_;
    std::function<void()> take_;
    std::atomic<bool> high_has_come_{false};
    std::atomic<bool> high_is_done_{false};
    std::atomic<bool> middle_ran_{false};
};

} // namespace resident::test
