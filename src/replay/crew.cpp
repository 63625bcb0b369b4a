#include "replay/crew.hpp"

#include "replay/operation.hpp"

#include <cstring>
#include <string>

namespace resident::replay {

crew::crew(const options& how) : how_(how), stacks_(how.workers > 1 ? how.workers - 1 : 0) {
    for (std::uint32_t number = 0; number < how.workers; ++number) {
        workers_.push_back(std::make_unique<worker>());
        workers_.back()->of = this;
        workers_.back()->number = number;
    }
}

void crew::run(std::span<const std::uint32_t> first) {
    for (std::uint32_t number = 1; number < first.size(); ++number) {
        if (first[number] != no_operation)
            start_list(*workers_[number], first[number]);
    }
    if (!first.empty() && first[0] != no_operation)
        how_.run_list(how_.context, 0, first[0]);
    for (const auto& each : workers_) {
        if (each->is_there)
            each->state.wait(running);
    }
}

void crew::start_list(worker& who, std::uint32_t first) {
    who.first = first;
    who.state.store(running);
    who.state.notify_one();
}

void crew::begin(std::uint32_t number, std::uint32_t first) {
    worker& who = *workers_[number];
    who.first = first;
    who.state.store(running);
    const int error_number = who.thread.start(stacks_[number - 1], live, &who);
    if (error_number != 0) {
        how_.give_up(how_.context, std::string("cannot start one more thread: ") +
                                       std::strerror(error_number) +
                                       "; raise RLIMIT_NPROC (ulimit -u) or the cgroup's pids.max");
    }
    who.is_there = true;
}

void crew::end(std::uint32_t number) {
    worker& who = *workers_[number];
    who.thread.join();
    who.is_there = false;
}

void crew::finish() {
    for (const auto& each : workers_) {
        if (!each->is_there)
            continue;
        each->state.store(stopping);
        each->state.notify_one();
        end(each->number);
    }
}

/// What each thread but worker 0's does.
void crew::live(void* self) {
    worker& who = *static_cast<worker*>(self);
    const options& how = who.of->how_;
    for (;;) {
        if (who.first != no_operation && !how.run_list(how.context, who.number, who.first))
            return;
        who.state.store(idle);
        who.state.notify_one();
        who.state.wait(idle);
        if (who.state.load() == stopping)
            return;
    }
}

} // namespace resident::replay
